"""What `engram snapshot config`, `tag` and `dir` show."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from msgspec import Struct
from msgspec.structs import fields

import engram as face
from engram.cli.reference import reference
from engram.cli.schemas import schemas
from engram.connectome.config.meta import Meta
from engram.connectome.config.records import Config
from engram.connectome.config.shaping import hints_of
from engram.connectome.config.templates import entry_kind
from engram.model.errors import BadSnapshotConfig
from tests.cli.conftest import Engram

SHORT = """\
inputs:
  synapses: {synapse-points: points.feather, synapse-partners: partners.feather}
  annotations: {body-annotations-table: bodies.csv}
outputs: {}
job-settings: {snapshot-tag: manc-v1.2}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "configs").mkdir()
    path = tmp_path / "configs" / "manc.yaml"
    path.write_text(SHORT)
    return path


def test_a_template_is_shown_as_it_is(engram: Engram) -> None:
    shown = engram("snapshot", "config")
    assert shown.code == 0
    assert shown.out.startswith("inputs:\n  dvid-seg:\n    server: ''\n")
    assert "\n# " not in shown.out
    assert "  # The synapses. Must be given.\n  synapses:\n" in engram("snapshot", "config", "--comments").out
    assert engram("snapshot", "config", "--meta").out.startswith("dataset: ''\n")
    (record,) = engram("--json", "snapshot", "config", "--meta").records
    assert (record["record"], record["topic"]) == ("help", "snapshot config --meta")


def test_a_template_that_was_filled_in_is_a_configuration(engram: Engram, tmp_path: Path) -> None:
    text = engram("snapshot", "config", "--comments").out
    for key, value in {
        "synapse-points": "a.feather",
        "synapse-partners": "b.feather",
        "body-annotations-table": "c.csv",
        "snapshot-tag": "v1",
    }.items():
        text = text.replace(f"{key}: ''", f"{key}: {value}")
    text = text.replace("example_roiset:", "primary:").replace("source: dvid-rois", "source: point-table")
    (tmp_path / "c.yaml").write_text(text)
    assert engram("snapshot", "tag", "-c", "c.yaml").out == "v1\n"


def test_the_name_and_the_folder_of_a_snapshot_are_shown(engram: Engram, config: Path, tmp_path: Path) -> None:
    assert engram("snapshot", "tag", "-c", "configs/manc.yaml").out == "manc-v1.2\n"
    assert engram("snapshot", "dir", "-c", "configs/manc.yaml").out == f"{tmp_path}/manc-v1.2\n"
    config.write_text(SHORT.replace("{snapshot-tag", "{output-dir: out/v1, snapshot-tag"))
    assert engram("snapshot", "dir", "-c", str(config)).out == f"{tmp_path}/configs/out/v1\n"
    (record,) = engram("--json", "snapshot", "tag", "-c", str(config)).records
    Draft202012Validator(schemas()["snapshot"]).validate(record)
    assert record == {
        "record": "snapshot",
        "tag": "manc-v1.2",
        "folder": f"{tmp_path}/configs/out/v1",
        "config": str(config),
    }


def test_everything_that_is_wrong_is_shown_each_in_a_line(engram: Engram, config: Path) -> None:
    config.write_text(SHORT.replace("outputs: {}", "outputs: {neurpint: {}, flat-connectome: {roi-set: p}}"))
    shown = engram("snapshot", "tag", "-c", str(config))
    assert (shown.code, shown.out) == (2, "")
    first, one, two, next_step = shown.err.splitlines()
    assert first.endswith("manc.yaml cannot be used, for 2 reasons:")
    assert one == "  manc.yaml, line 4, column 11: outputs: there is no key neurpint; the nearest is neuprint."
    assert two.startswith("  manc.yaml, line 4, column 52: outputs.flat-connectome.roi-set: there is no ROI set p;")
    assert next_step.endswith("engram snapshot config --comments")


def test_a_configuration_that_is_not_there_is_told(engram: Engram) -> None:
    shown = engram("snapshot", "dir", "-c", "none.yaml")
    assert (shown.code, shown.out) == (2, "")
    assert "none.yaml" in shown.err


def test_python_has_the_same_names(config: Path) -> None:
    assert face.snapshot.config(meta=True).startswith("dataset: ''\n")
    assert face.snapshot.tag(config) == "manc-v1.2"
    assert face.snapshot.dir(config).endswith("/manc-v1.2")
    config.write_text("inputs: {}")
    with pytest.raises(BadSnapshotConfig):
        face.snapshot.tag(config)


def test_a_configuration_is_read_without_the_engine() -> None:
    code = "import sys; from engram.connectome.config.reading import read_config; print('duckdb' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.lower()) is False


@pytest.mark.parametrize(
    "words", ["snapshot config", "snapshot tag -c x.yaml", "help snapshot-config", "help neuprint-meta"]
)
def test_without_its_extra_a_command_says_what_to_install(words: str) -> None:
    code = f"import sys; sys.modules['yaml'] = None; sys.argv = ['engram', *{words.split()}]"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; from engram.cli.main import main; sys.exit(main())"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, "This needs yaml, which is not installed.")
    assert "[connectome]" in done.stderr


@pytest.mark.parametrize(("topic", "kind"), [("snapshot-config", Config), ("neuprint-meta", Meta)])
def test_every_key_has_its_entry(topic: str, kind: type[Struct]) -> None:
    page = reference()[f"{topic}.md"]
    for record in records(kind) - (set() if kind is Meta else records(Meta)):
        for field in fields(record):
            is_record = isinstance(getattr(record(), field.name), Struct)
            named = field.name == getattr(record, "NAMED", "")
            entry = f".{field.encode_name}\n" if is_record else f"| `{'NAME' if named else field.encode_name}` | "
            assert entry in page or (is_record and f"## {field.encode_name}" in page), f"{record.__name__} {field.name}"


def records(kind: type[Struct]) -> set[type[Struct]]:
    """A record and all that it holds."""
    found = {kind}
    for name, hint in hints_of(kind).items():
        value = getattr(kind(), name, None)
        inner = type(value) if isinstance(value, Struct) else entry_kind(hint)
        if inner is not None:
            found |= records(inner)
    return found
