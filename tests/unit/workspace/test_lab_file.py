"""A lab's file is read strictly, and changed without touching what is not meant."""

import os
import stat
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engram.config import Settings
from engram.durable import Steps
from engram.model.errors import BadLabFile, BadSetting, NoLab, UsageError
from engram.model.lab import Layout, NamedLocation, Share
from engram.workspace.context import Context
from engram.workspace.lab_file import (
    change_lab,
    check_name,
    put_catalogue,
    put_share,
    read_lab,
    take_share,
    write_new_lab,
)
from engram.workspace.lab_here import lab_here

_WHOLE = r"""
[lab]
name = "Systems neuroscience"
timezone = "Europe/Oslo"

[catalogue]
url = "sqlite:///.engram/catalogue.db"     # relative to this file

[shares.recordings]
root = "/mnt/N/recordings"
also_known_as = ["N:/recordings", "N:\\recordings"]
template = ["{subject}/{session:%Y%m%d}/Session{ident}", "{subject}/{session:%Y%m%d}"]
exclude = "**/logs/**"
collection = "C40E971D-0075-4A82-B12F-8F9717762E7B"
collection_root = "map/raw"

[locations.petrel]
kind = "globus"
collection = "5b875fda-4185-11e8-bb52-0ac6873fc732"
root = "/4ElectrodeRig_Ephys"
layout = "raw-ephys"

[layouts.raw-ephys]
pattern = "{subject.alias}/catgt_{subject.alias}_{date:%m%d%y}[_{ident}]_g0"
"""


def lab_file(folder: Path, text: str) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "engram.toml"
    path.write_text(text)
    return str(path)


class TestReading:
    def test_everything_that_a_lab_may_say_is_read(self, tmp_path: Path) -> None:
        lab = read_lab(lab_file(tmp_path, _WHOLE))
        assert (lab.folder, lab.name, lab.timezone) == (str(tmp_path), "Systems neuroscience", "Europe/Oslo")
        assert lab.catalogue_url == "sqlite:///.engram/catalogue.db"
        assert lab.share("recordings") == Share(
            name="recordings",
            root="/mnt/N/recordings",
            also_known_as=("N:/recordings", "N:\\recordings"),
            template=("{subject}/{session:%Y%m%d}/Session{ident}", "{subject}/{session:%Y%m%d}"),
            exclude=("**/logs/**",),
            collection="C40E971D-0075-4A82-B12F-8F9717762E7B",
            collection_root="map/raw",
        )
        (location,) = lab.locations
        assert location == NamedLocation(
            name="petrel",
            kind="globus",
            root="/4ElectrodeRig_Ephys",
            layout="raw-ephys",
            settings=(("collection", "5b875fda-4185-11e8-bb52-0ac6873fc732"),),
        )
        assert lab.layouts == (Layout("raw-ephys", "{subject.alias}/catgt_{subject.alias}_{date:%m%d%y}[_{ident}]_g0"),)

    def test_a_share_is_named_relative_to_the_file(self, tmp_path: Path) -> None:
        lab = read_lab(lab_file(tmp_path / "lab", '[shares.here]\nroot = "../recordings"\n'))
        assert lab.shares[0].root == str(tmp_path / "recordings")

    def test_all_that_is_wrong_is_told_at_once(self, tmp_path: Path) -> None:
        text = """
            stray = 1
            [shaers.x]
            [lab]
            nmae = "x"
            timezone = "Mars/Olympus"
            [shares.a]
            rot = "/x"
            [shares."b c"]
            root = 7
            [shares.d]
            root = "/d"
            template = ["ok", 3]
            [layouts.e]
        """
        with pytest.raises(BadLabFile) as caught:
            read_lab(lab_file(tmp_path, text))
        for problem in (
            "[stray]: there is no such section",
            "[shaers]: there is no such section; the nearest is shares",
            "[lab] nmae: there is no such key; the nearest is name",
            "[lab] timezone: 'Mars/Olympus' is not a time zone",
            "[shares.a] lacks root",
            "[shares.a] rot: there is no such key; the nearest is root",
            "[shares.b c]: a name consists of",
            "[shares.b c] root: 7 is not text",
            "[shares.d] template: ['ok', 3] is not text, nor a list of texts",
            "[layouts.e] lacks pattern",
        ):
            assert problem in caught.value.what
        assert "\n" not in caught.value.what

    @pytest.mark.parametrize("text", ["[lab", "\0", "a = " + "[" * 100_000])
    def test_what_is_no_toml_is_said_in_a_line(self, tmp_path: Path, text: str) -> None:
        with pytest.raises(BadSetting, match="does not parse"):
            read_lab(lab_file(tmp_path, text))


class TestChanging:
    def test_comments_order_and_layout_stay(self, tmp_path: Path) -> None:
        path = lab_file(tmp_path, _WHOLE)
        lab = change_lab(Steps(), path, lambda file: put_share(file, "second", {"root": "/x", "exclude": ()}))
        assert [share.name for share in lab.shares] == ["recordings", "second"]
        written = Path(path).read_text()
        added = '[shares.second]\nroot = "/x"\n'
        assert added in written
        assert [line for line in written.replace(added, "").splitlines() if line] == [
            line for line in _WHOLE.splitlines() if line
        ]

    def test_a_share_that_is_taken_out_leaves_the_rest(self, tmp_path: Path) -> None:
        path = lab_file(tmp_path, "# ours\n[shares.a]\nroot = '/a' # a\n\n[shares.b]\nroot = '/b' # b\n")
        assert [share.name for share in change_lab(Steps(), path, lambda file: take_share(file, "a")).shares] == ["b"]
        assert Path(path).read_text().startswith("# ours\n")
        assert "root = '/b' # b" in Path(path).read_text()
        assert change_lab(Steps(), path, lambda file: take_share(file, "b")).shares == ()

    def test_what_would_not_be_read_back_is_not_written(self, tmp_path: Path) -> None:
        path = lab_file(tmp_path, _WHOLE)
        with pytest.raises(BadLabFile, match=r"\[shares.x\] timezone"):
            change_lab(Steps(), path, lambda file: put_share(file, "x", {"root": "/x", "timezone": "Nowhere"}))
        assert Path(path).read_text() == _WHOLE

    def test_the_files_mode_and_its_link_stay(self, tmp_path: Path) -> None:
        real = Path(lab_file(tmp_path / "real", _WHOLE))
        real.chmod(0o600)
        (tmp_path / "engram.toml").symlink_to(real)
        change_lab(Steps(), str(tmp_path / "engram.toml"), lambda file: put_share(file, "x", {"root": "/x"}))
        assert (tmp_path / "engram.toml").is_symlink()
        assert stat.S_IMODE(real.stat().st_mode) == 0o600

    @settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
    @given(
        text=st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1),
        texts=st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=3),
    )
    def test_whatever_is_put_in_is_read_back(self, tmp_path: Path, text: str, texts: list[str]) -> None:
        path = lab_file(tmp_path, "")
        lab = change_lab(
            Steps(), path, lambda file: put_share(file, "x", {"root": "/x", "collection": text, "template": texts})
        )
        assert (lab.shares[0].collection, lab.shares[0].template) == (text, tuple(texts))


class TestANewLab:
    @pytest.mark.parametrize("name", ["Ours", 'with "quotes" and \\', "Zürich\n\x7f\x01", ""])
    def test_what_is_written_is_read_back(self, tmp_path: Path, name: str) -> None:
        path = write_new_lab(Steps(), str(tmp_path), name=name, timezone="Europe/Oslo", catalogue_url="sqlite:///x.db")
        lab = read_lab(path)
        assert (lab.name, lab.timezone, lab.catalogue_url) == (name, "Europe/Oslo", "sqlite:///x.db")
        assert set(tomllib.loads(Path(path).read_text())) == {"lab", "catalogue"}

    def test_a_lab_that_is_there_stays(self, tmp_path: Path) -> None:
        path = lab_file(tmp_path, _WHOLE)
        with pytest.raises(FileExistsError):
            write_new_lab(Steps(), str(tmp_path), name="", timezone="", catalogue_url="")
        assert Path(path).read_text() == _WHOLE


class TestTheLabHere:
    def test_its_settings_hold_unless_something_stronger_is_said(self, tmp_path: Path) -> None:
        lab_file(tmp_path, _WHOLE)
        (tmp_path / "below").mkdir()
        here = lab_here(Context(folder=str(tmp_path / "below"), environment={"HOME": str(tmp_path)}))
        assert (here.settings.lab_timezone, here.private) == ("Europe/Oslo", str(tmp_path / ".engram"))
        said = Context(folder=str(tmp_path), environment={"HOME": "/none", "ENGRAM_CATALOGUE_URL": "sqlite:///y.db"})
        assert lab_here(said).settings.catalogue_url == "sqlite:///y.db"
        assert lab_here(said).settings != Settings()

    def test_every_value_can_be_given_for_one_call(self, tmp_path: Path) -> None:
        lab_file(tmp_path, '[shares.rig-4]\nroot = "/a"\ntimezone = "Europe/Oslo"\n[shares.rig]\nroot = "/b"\n')

        def shares(*options: str, **environment: str) -> dict[str, tuple[str, str]]:
            context = Context(folder=str(tmp_path), environment={"HOME": "/none", **environment}, options=options)
            return {share.name: (share.root, share.timezone) for share in lab_here(context).lab.shares}

        assert shares() == {"rig-4": ("/a", "Europe/Oslo"), "rig": ("/b", "")}
        assert shares("shares.rig-4.root=/x")["rig-4"] == ("/x", "Europe/Oslo")
        assert shares(":shares.rig-4.timezone")["rig-4"] == ("/a", "")
        assert shares(ENGRAM_SHARES_RIG_4_ROOT="/y")["rig-4"] == ("/y", "Europe/Oslo")
        assert shares("shares.rig.root=/z", ENGRAM_SHARES_RIG_ROOT="/y")["rig"] == ("/z", "")
        assert shares("shares.new.root=/n")["new"] == ("/n", "")
        for options, environment in (
            (("shares.rig.rooot=/x",), {}),
            (("shares.rig=/x",), {}),
            (("shares",), {}),
            ((), {"ENGRAM_SHARES_RIG_ROOOT": "/x"}),
            ((), {"ENGRAM_SHARES_OTHER_ROOT": "/x"}),
        ):
            with pytest.raises(BadLabFile):
                shares(*options, **environment)

    def test_no_lab_is_said_with_how_to_make_one(self, tmp_path: Path) -> None:
        with pytest.raises(NoLab) as caught:
            lab_here(Context(folder=str(tmp_path)))
        assert "engram lab create" in caught.value.next_step

    def test_one_that_is_passed_over_is_named(self, tmp_path: Path) -> None:
        lab_file(tmp_path / "ds", _WHOLE)
        (tmp_path / "ds" / ".git").mkdir()
        os.mkdir(tmp_path / "ds" / "below")
        with pytest.raises(UsageError, match="inside the dataset"):
            lab_here(Context(folder=str(tmp_path / "ds" / "below")))

    def test_an_unknown_share_is_refused(self, tmp_path: Path) -> None:
        lab_file(tmp_path, _WHOLE)
        here = lab_here(Context(folder=str(tmp_path)))
        assert [share.name for share in here.shares(())] == ["recordings"]
        with pytest.raises(UsageError, match="no share 'x'"):
            here.shares(("x",))


@pytest.mark.parametrize("name", ["", "a b", "-a", "a/b", "a.b", "x" * 65, "é"])
def test_a_share_has_a_plain_name(name: str) -> None:
    with pytest.raises(UsageError):
        check_name("share", name)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('# a\n[lab]\nname = "x"\n', '# a\n[lab]\nname = "x"\n\n[catalogue]\nurl = "sqlite:///n.db"\n'),
        ('catalogue.url = "sqlite:///o.db" # b\n', 'catalogue.url = "sqlite:///n.db" # b\n'),
        ("catalogue = { url = 'sqlite:///o.db' } # b\n", 'catalogue = { url = "sqlite:///n.db" } # b\n'),
        (
            "[catalogue] # c\n  url='sqlite:///o.db'  # b\n[shares.x]\nroot = '/x'\n",
            "[catalogue] # c\n  url=\"sqlite:///n.db\"  # b\n[shares.x]\nroot = '/x'\n",
        ),
    ],
)
def test_another_catalogue_is_named_however_the_file_is_written(tmp_path: Path, before: str, after: str) -> None:
    path = lab_file(tmp_path, before)
    lab = change_lab(Steps(), path, lambda document: put_catalogue(document, "sqlite:///n.db"))
    assert lab.catalogue_url == "sqlite:///n.db"
    assert Path(path).read_text() == after
