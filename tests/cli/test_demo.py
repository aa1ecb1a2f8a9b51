"""What `engram demo` shows."""

from collections.abc import Iterator
from pathlib import Path

from engram.model.errors import TargetExists
from engram.model.outcome import DatasetOutcome, Outcome, Status
from engram.workspace.context import Context
from tests.cli.conftest import Engram


def said(action: str, item: str, **more: object) -> DatasetOutcome:
    known = {"path": f"/here/engram-demo/{item}".rstrip("/"), "type": "file", "refds": "/here/engram-demo", **more}
    return DatasetOutcome(action=action, item=item, status=Status.OK, **known)  # type: ignore[arg-type] # checked by the record


class FakeDemo:
    def __init__(self, context: Context) -> None:
        pass

    def tell(self, folder: str | None) -> Iterator[Outcome]:
        yield said("demo", "engram status", note="What has changed.", extra=(("seconds", 0.125), ("said", "")))
        yield said("status", "README.md", state="modified")
        yield said("demo", "cd x\ngit log", note="The history.", extra=(("seconds", 2), ("said", "a\tb\nc")))
        yield said("save", "")


class RefusingDemo(FakeDemo):
    def tell(self, folder: str | None) -> Iterator[Outcome]:
        raise TargetExists(str(folder), "is there already", "Name another folder: engram demo DIR")


def test_each_command_is_shown_with_its_meaning_and_its_time(engram: Engram) -> None:
    shown = engram("demo", rooms={"Demo": FakeDemo})
    assert shown.code == 0
    assert shown.out == (
        "\n# What has changed. [0.12 s]\n$ engram status\n modified: README.md (file)\n"
        "\n# The history. [2.00 s]\n$ cd x\n$ git log\na       b\nc\nsave(ok): . (file)\n"
        "\nAll of it stays for you to play with: cd engram-demo\n"
        "To be rid of it: chmod -R u+w engram-demo engram-demo-copy engram-demo-share engram-demo-lab"
        " engram-demo-connectomes; rm -r engram-demo engram-demo-copy engram-demo-share engram-demo-lab"
        " engram-demo-connectomes\n"
    )


def test_the_folder_is_named_as_a_shell_takes_it(engram: Engram) -> None:
    shown = engram("demo", "my demo", rooms={"Demo": FakeDemo})
    assert "rm -r 'my demo' 'my demo-copy' 'my demo-share' 'my demo-lab' 'my demo-connectomes'\n" in shown.out


def test_programs_get_every_outcome(engram: Engram) -> None:
    shown = engram("--json", "demo", rooms={"Demo": FakeDemo})
    assert [record["action"] for record in shown.records] == ["demo", "status", "demo", "save"]
    assert shown.records[2]["said"] == "a\tb\nc"
    assert shown.records[2]["seconds"] == 2


def test_a_folder_that_is_there_is_refused(engram: Engram, tmp_path: Path) -> None:
    shown = engram("demo", str(tmp_path), rooms={"Demo": RefusingDemo})
    assert shown.code == 2
    assert "is there already" in shown.err
