"""Each value comes from its strongest source and knows it; what is unknown or impossible is told with the nearest."""

import os
from pathlib import Path

import platformdirs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.config import (
    DEFAULT,
    DEFAULTS,
    Settings,
    Switch,
    attribute_of,
    find_lab,
    lab_file_in,
    read_settings,
    setting_name,
    variable_name,
    why_not_trusted,
)
from engram.model.errors import BadSetting, UsageError
from engram.workspace.context import user_file
from engram.workspace.settings import explain


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def read(file: Path, text: str = "", *options: str, **environment: str) -> Settings:
    file.write_text(text)
    return read_settings(str(file), environment=environment, options=options)


class TestSources:
    def test_without_any_source_the_defaults_hold(self) -> None:
        settings = read_settings("")
        assert settings == Settings()
        assert {each.source for each in explain(settings)} == {DEFAULT}

    def test_the_stronger_source_wins(self, file: Path) -> None:
        text = '[datasets]\nbackend = "SHA512E"\njobs = 3\n[ui]\ncolor = "off"\n'
        settings = read(file, text, "datasets.backend=SHA1E", ENGRAM_DATASETS_BACKEND="MD5E", ENGRAM_DATASETS_JOBS="4")
        assert (settings.datasets_backend, settings.source_of("datasets.backend")) == ("SHA1E", "-c")
        assert (settings.datasets_jobs, settings.source_of("datasets.jobs")) == (4, "ENGRAM_DATASETS_JOBS")
        assert (settings.ui_color, settings.source_of("ui.color")) == (Switch.OFF, str(file))
        assert (settings.ui_progress, settings.source_of("ui.progress")) == (True, DEFAULT)

    def test_of_two_options_the_last_wins(self, file: Path) -> None:
        assert read(file, "", "datasets.jobs=3", "datasets.jobs=5").datasets_jobs == 5

    def test_a_value_can_be_taken_back(self, file: Path) -> None:
        settings = read(file, "[datasets]\njobs = 3\n", ":datasets.jobs")
        assert (settings.datasets_jobs, settings.source_of("datasets.jobs")) == (0, DEFAULT)

    def test_a_lab_file_holds_what_is_the_labs(self, tmp_path: Path) -> None:
        lab = tmp_path / "engram.toml"
        lab.write_text('[lab]\nname = "Ours"\ntimezone = "Europe/Oslo"\n')
        settings = read_settings("", lab_file=str(lab))
        assert (settings.lab_name, settings.lab_timezone) == ("Ours", "Europe/Oslo")
        assert settings.source_of("lab.name") == str(lab)

    @pytest.mark.parametrize(
        ("name", "text"), [("user_file", '[lab]\nname = "x"\n'), ("lab_file", '[ui]\ncolor = "off"\n')]
    )
    def test_a_file_holds_only_what_belongs_there(self, tmp_path: Path, name: str, text: str) -> None:
        (tmp_path / "file").write_text(text)
        with pytest.raises(BadSetting):
            read_settings(**{"user_file": "", name: str(tmp_path / "file")})  # type: ignore[arg-type]  # both take paths


class TestMistakes:
    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("[datasets]\nbackand = 'MD5E'\n", "datasets.backend"),
            ("[dataset]\nbackend = 'MD5E'\n", "datasets"),
            ("backend = 'MD5E'\n", "there is no such section"),
            ("ui = 3\n", "table"),
            ("[ui]\ncolor = 'blue'\n", "auto, on or off"),
            ("[ui]\nprogress = 'maybe'\n", "on or off"),
            ("[datasets]\njobs = -1\n", "whole number"),
            ("[datasets]\njobs = 1.5\n", "whole number"),
            ("[datasets]\nbackend = 7\n", "text"),
            ("[datasets]\nbackend = 'sha 256'\n", "key backend"),
            ("[ui\n", "does not parse"),
            ("a = '\udcff'\n", "does not parse"),
        ],
    )
    def test_a_mistake_in_a_file_is_named_with_the_file(self, file: Path, text: str, told: str) -> None:
        file.write_bytes(text.encode("utf-8", "surrogateescape"))
        with pytest.raises(BadSetting) as raised:
            read_settings(str(file))
        assert told in raised.value.what
        assert str(file) in raised.value.what

    def test_a_misspelt_variable_names_the_nearest(self, file: Path) -> None:
        with pytest.raises(BadSetting, match="ENGRAM_UI_COLOR"):
            read(file, "", ENGRAM_UI_COLOUR="off")

    def test_a_variable_that_is_none_of_ours_is_left_alone(self, file: Path) -> None:
        read(file, "", ENGRAM_ALL_SERVICES="1", ENGRAM_CONFIG_FILE="x", ENGRAMS_UI_COLOUR="1")

    @pytest.mark.parametrize("option", ["ui.colour=on", "no.at=all", "lab.timezone=Mars/Olympus", "ui.color=blue"])
    def test_a_mistake_in_an_option_is_told(self, file: Path, option: str) -> None:
        with pytest.raises(BadSetting, match=r"\(-c\)"):
            read(file, "", option)

    @pytest.mark.skipif(os.geteuid() == 0, reason="not on this machine: root reads everything")
    def test_a_file_that_cannot_be_read_is_told(self, file: Path) -> None:
        file.write_text("")
        file.chmod(0)
        with pytest.raises(BadSetting, match="cannot be read"):
            read_settings(str(file))


class TestValues:
    @pytest.mark.parametrize(
        ("word", "value"), [("on", True), ("YES", True), ("1", True), ("off", False), ("no", False), ("false", False)]
    )
    def test_on_and_off_have_many_names(self, file: Path, word: str, value: bool) -> None:
        assert read(file, "", f"ui.progress={word}").ui_progress is value

    @pytest.mark.parametrize("word", ["off", "0"])
    def test_folding_can_be_switched_off(self, file: Path, word: str) -> None:
        name = "ui.suppress-similar-results-threshold"
        assert read(file, "", f"{name}={word}").ui_suppress_similar_results_threshold == 0

    @given(st.integers(0, 10**9 - 1))
    def test_a_number_reads_back_from_text_and_file(self, tmp_path_factory: pytest.TempPathFactory, count: int) -> None:
        file = tmp_path_factory.mktemp("settings") / "config.toml"
        assert read(file, "", f"datasets.jobs={count}").datasets_jobs == count
        assert read(file, f"[datasets]\njobs = {count}\n").datasets_jobs == count


class TestNames:
    @pytest.mark.parametrize("attribute", DEFAULTS)
    def test_every_setting_has_a_name_and_a_variable(self, attribute: str) -> None:
        assert attribute_of(setting_name(attribute), "test") == attribute
        assert variable_name(attribute).removeprefix("ENGRAM_").lower() == attribute

    def test_every_setting_is_explained(self) -> None:
        assert {each.name for each in explain(Settings())} == set(map(setting_name, DEFAULTS))


class TestLabs:
    def lab(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "engram.toml").write_text("")
        return folder / "engram.toml"

    def test_a_lab_is_found_from_below(self, tmp_path: Path) -> None:
        lab = self.lab(tmp_path / "lab")
        (tmp_path / "lab" / "a" / "b").mkdir(parents=True)
        assert find_lab(str(tmp_path / "lab" / "a" / "b")) == str(lab)
        assert find_lab(str(tmp_path)) == ""

    def test_a_lab_inside_a_dataset_is_passed_over(self, tmp_path: Path) -> None:
        outer = self.lab(tmp_path)
        inner = self.lab(tmp_path / "ds" / "sub")
        (tmp_path / "ds" / ".git").mkdir()
        assert find_lab(str(tmp_path / "ds" / "sub")) == str(outer)
        assert "dataset" in why_not_trusted(str(inner))

    def test_a_lab_that_is_linked_into_a_dataset_is_passed_over(self, tmp_path: Path) -> None:
        real = self.lab(tmp_path / "ds")
        (tmp_path / "ds" / ".git").write_text("gitdir: elsewhere")
        (tmp_path / "engram.toml").symlink_to(real)
        assert find_lab(str(tmp_path)) == ""

    def test_somebody_elses_lab_is_passed_over(self, tmp_path: Path, as_root: None) -> None:
        lab = self.lab(tmp_path)
        os.chown(lab, 12345, 12345)
        assert find_lab(str(tmp_path)) == ""
        with pytest.raises(UsageError, match="somebody else"):
            lab_file_in(str(tmp_path))

    def test_a_folder_without_a_lab_file_is_no_lab(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="no lab"):
            lab_file_in(str(tmp_path))


class TestUserFile:
    def test_the_user_may_name_another_file(self) -> None:
        assert user_file({"ENGRAM_CONFIG_FILE": "/x/y.toml", "HOME": "/h"}) == "/x/y.toml"
        assert user_file({"ENGRAM_CONFIG_FILE": ""}) == ""

    @pytest.mark.parametrize("folder", [None, "", "/etc/my"])
    def test_it_lies_where_platformdirs_says(self, monkeypatch: pytest.MonkeyPatch, folder: str | None) -> None:
        monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
        if folder is not None:
            monkeypatch.setenv("XDG_CONFIG_HOME", folder)
        said = str(platformdirs.user_config_path("engram", appauthor=False) / "config.toml")
        assert user_file(dict(os.environ), "linux") == said
        assert user_file(dict(os.environ), "darwin") == said
