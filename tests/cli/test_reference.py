"""The reference is made from the code, and nothing is missing in it; every JSON line is valid against its schema."""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import click
import pytest
from jsonschema import Draft202012Validator

from engram.catalogue.describing import tables_in_words
from engram.cli.pages import commands, escaped
from engram.cli.reference import differences, main, reference, root_context
from engram.cli.root import BEFORE, SHARED
from engram.cli.schemas import schemas, settings_schema
from engram.cli.topics import TOPICS, errors, exit_codes
from engram.config import DEFAULTS, Settings, setting_name, variable_name
from engram.model.errors import DatasetBusy, EngramError
from engram.model.notes import field_notes
from engram.model.outcome import DatasetOutcome, Outcome, Status
from engram.workspace.verbs import recording
from tests.cli.conftest import Engram, Shown
from tests.cli.test_dataset_commands import FakeDatasets
from tests.cli.test_frame import Emitting

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


@pytest.fixture(scope="module")
def pages() -> Mapping[str, str]:
    return reference()


class TestPages:
    def test_the_pages_that_are_kept_are_those_the_code_makes(self, pages: Mapping[str, str]) -> None:
        assert differences(str(REFERENCE), pages) == []

    def test_every_command_has_its_page_with_every_option(self, pages: Mapping[str, str]) -> None:
        root, context = root_context()
        for name, command, _ in commands(root, context):
            page = pages[f"commands/{name.replace(' ', '-')}.md"]
            for parameter in command.params:
                if isinstance(parameter, click.Option) and not parameter.hidden:
                    assert parameter.opts[-1] in page, f"{name} {parameter.opts}"
                    assert parameter.help, f"{name} {parameter.opts} says nothing"

    @pytest.mark.parametrize("option", [*BEFORE, *SHARED], ids=lambda option: option.opts[-1])
    def test_every_option_of_the_frame_has_its_entry(self, pages: Mapping[str, str], option: click.Option) -> None:
        assert option.opts[-1] in pages["options.md"]
        assert escaped(option.help or "?") in pages["options.md"]

    @pytest.mark.parametrize("kind", errors())
    def test_every_error_has_its_entry(self, pages: Mapping[str, str], kind: type[EngramError]) -> None:
        assert f"## {kind.__name__}\n" in pages["errors.md"]

    def test_every_exit_code_has_its_entry(self, pages: Mapping[str, str]) -> None:
        codes = {0, 1, 2, 3, 129, 130, 143} | {kind.exit_code for kind in errors()}
        assert codes == set(exit_codes())
        for code in codes:
            assert f"| `{code}` |" in pages["exit-codes.md"]

    def test_every_record_and_field_has_its_entry(self, pages: Mapping[str, str]) -> None:
        for name, schema in SCHEMAS.items():
            assert f"## {name}\n" in pages["json.md"]
            for field, entry in schema["properties"].items():
                assert f"| `{field}` |" in pages["json.md"]
                assert entry.get("description") or "const" in entry, f"{name}.{field} is not explained"

    @pytest.mark.parametrize("attribute", DEFAULTS)
    def test_every_setting_has_its_entry(self, pages: Mapping[str, str], attribute: str) -> None:
        assert f"`{setting_name(attribute)}`" in pages["settings.md"]
        assert f"`{variable_name(attribute)}`" in pages["environment.md"]
        assert field_notes(Settings)[attribute]

    @pytest.mark.parametrize("function", [recording.create, recording.save, recording.status, recording.trust])
    def test_every_function_has_its_entry(self, pages: Mapping[str, str], function: Callable[..., object]) -> None:
        assert f"## engram.{function.__name__}\n" in pages["python.md"]
        for name in inspect.signature(function).parameters:
            assert name in pages["python.md"]

    def test_every_page_is_listed(self, pages: Mapping[str, str]) -> None:
        for path in pages:
            assert path == "index.md" or path.endswith(".svg") or f"\n{path.removesuffix('.md')}\n" in pages["index.md"]

    def test_the_picture_of_the_tables_shows_each_of_them_and_what_it_refers_to(self, pages: Mapping[str, str]) -> None:
        assert "](catalogue.svg)" in pages["catalogue.md"]
        picture = ElementTree.fromstring(pages["catalogue.svg"])
        boxes = boxes_of(picture)
        tables = {table.name: table for table in tables_in_words()}
        assert set(boxes) == set(tables)
        lines = [path.attrib["d"] for path in picture.iter(f"{SVG}path")]
        references = [
            (name, column.refers_to)
            for name, table in tables.items()
            for column in table.columns
            if column.refers_to and (column.refers_to != "catalogue_change" or name == "catalogue_edit")
        ]
        assert len(lines) == len(references)
        for name, target in references:
            assert boxes[name][0] > boxes[target][2], f"{name} does not stand right of {target}"
        corners = list(boxes.values())
        for number, (x, y, right, bottom) in enumerate(corners):
            others = corners[number + 1 :]
            assert not [one for one in others if x < one[2] and one[0] < right and y < one[3] and one[1] < bottom]


SVG = "{http://www.w3.org/2000/svg}"


def boxes_of(picture: Element) -> dict[str, tuple[float, float, float, float]]:
    """By the tables' names: left, top, right, bottom."""
    frames = [one.attrib for one in picture.iter(f"{SVG}rect") if one.get("class") == "b"]
    names = [one.text or "" for one in picture.iter(f"{SVG}text") if one.get("class") == "t"]
    sides = [[float(frame[key]) for key in ("x", "y", "width", "height")] for frame in frames]
    return {name: (x, y, x + width, y + height) for name, (x, y, width, height) in zip(names, sides, strict=True)}


class TestMakingIt:
    def test_it_is_written_compared_and_tidied(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        folder = str(tmp_path / "reference")
        assert main([folder]) == 0
        assert main([folder, "--check"]) == 0
        (tmp_path / "reference" / "commands" / "gone.md").write_text("no command any more")
        (tmp_path / "reference" / "json.md").write_text("old")
        assert main([folder, "--check"]) == 1
        assert [line.split()[0] for line in capsys.readouterr().err.splitlines()] == [
            f"{folder}/commands/gone.md",
            f"{folder}/json.md",
        ]
        assert main([folder]) == 0
        assert main([folder, "--check"]) == 0


class TestTopics:
    @pytest.mark.parametrize("topic", TOPICS)
    def test_every_topic_fits_a_terminal(self, engram: Engram, topic: str) -> None:
        said = engram("help", topic)
        assert said.code == 0
        assert max(map(len, said.out.splitlines())) <= 80

    def test_the_topics_are_listed(self, engram: Engram) -> None:
        out = engram("help").out
        assert all(topic in out for topic in TOPICS)

    @pytest.mark.parametrize("words", [("save",), ("config", "explain"), ("config",)])
    def test_a_command_is_a_topic(self, engram: Engram, words: tuple[str, ...]) -> None:
        assert engram("help", *words).out.startswith(f"Usage: engram {' '.join(words)} ")

    @pytest.mark.parametrize("words", [("nonsense",), ("save", "nonsense"), ("exit-codes", "x")])
    def test_what_is_no_topic_is_told(self, engram: Engram, words: tuple[str, ...]) -> None:
        assert engram("help", *words).code == 2


#: Made once: it takes a while.
SCHEMAS = schemas()


def valid(said: Shown) -> list[dict[str, Any]]:
    for record in said.records:
        Draft202012Validator(SCHEMAS[record["record"]]).validate(record)
    assert said.records
    return said.records


class TestSchemas:
    @pytest.mark.parametrize("name", SCHEMAS)
    def test_every_schema_is_one(self, name: str) -> None:
        Draft202012Validator.check_schema(SCHEMAS[name])

    @pytest.mark.parametrize(
        "words", ["help json", "help settings", "help exit-codes", "help save", "config explain", "completion bash"]
    )
    def test_every_line_is_valid(self, engram: Engram, words: str) -> None:
        valid(engram("--json", *words.split()))

    def test_the_settings_have_a_schema(self) -> None:
        schema = settings_schema()
        Draft202012Validator.check_schema(schema)
        known = {f"{section}.{name}" for section, table in schema["properties"].items() for name in table["properties"]}
        assert known == set(map(setting_name, DEFAULTS))
        assert Draft202012Validator(schema).is_valid({"ui": {"color": "off", "progress": False}})
        assert not Draft202012Validator(schema).is_valid({"ui": {"colour": "off"}})

    def test_every_outcome_is_valid(self, verb: Engram) -> None:
        rich = DatasetOutcome(
            action="status",
            item="a",
            status=Status.OK,
            path="/ds/a",
            type="file",
            refds="/ds",
            parentds="/ds",
            state="clean",
            prev_gitshasum="0" * 40,
            gitshasum="0" * 40,
            key="MD5E-s1--a",
            bytesize=1,
            extra=(("backend", "MD5E"), ("has_content", True)),
        )
        plain = Outcome(action="save", item="b", status=Status.ERROR, message="m", error="E", remedy="r")
        source = Emitting(rich, plain, DatasetBusy("lock", "git"))
        assert len(valid(verb("--json", "emit", rooms={"Source": source}))) == 3

    def test_every_plan_is_valid(self, engram: Engram) -> None:
        valid(engram("--json", "save", "--dry-run", rooms={"Datasets": FakeDatasets()}))

    @pytest.mark.parametrize("words", ["fail busy", "fail path", "emit --nope", "nope"])
    def test_every_error_is_valid(self, verb: Engram, words: str) -> None:
        valid(verb("--json", *words.split()))

    @pytest.mark.parametrize(
        "record",
        [
            {"record": "outcome"},
            Outcome(action="a", item="b", status=Status.OK).as_json() | {"status": "fine"},
            Outcome(action="a", item="b", status=Status.OK).as_json() | {"moved_bytes": "1"},
            Outcome(action="a", item="b", status=Status.OK).as_json() | {"extra": [1]},
            Outcome(action="a", item="b", status=Status.OK).as_json() | {"extra": {"a": "b"}},
        ],
    )
    def test_what_is_no_outcome_is_not_valid(self, record: dict[str, Any]) -> None:
        assert not Draft202012Validator(SCHEMAS["outcome"]).is_valid(record)
