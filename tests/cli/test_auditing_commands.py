"""What whereis, numcopies, unused, dropunused and fsck hand to the workspace, and how they show what comes back."""

import json
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from engram.cli.keys import short_key
from engram.cli.schemas import schemas
from engram.model.copies import CopiesOutcome, Copy
from engram.model.outcome import DatasetOutcome, Outcome, Status
from engram.model.plan import Plan, PlannedStep
from engram.workspace.context import Context
from tests.cli.conftest import Engram, Shown

KEY = "SHA256E-s5--2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824.bin"


class FakeCustody:
    """Notes what it is asked for, and gives back what it was told to."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.given = outcomes
        self.asked: dict[str, Any] = {}

    def __call__(self, context: Context) -> "FakeCustody":
        return self

    def whereis(self, paths: tuple[str, ...], **rest: Any) -> Iterator[Outcome]:
        return self._outcomes("whereis", paths=paths, **rest)

    def numcopies(self, number: int | None, **rest: Any) -> Iterator[Outcome]:
        return self._outcomes("numcopies", number=number, **rest)

    def plan_numcopies(self, number: int, **rest: Any) -> Plan:
        return self._plan("plan_numcopies", number=number, **rest)

    def unused(self, **rest: Any) -> Iterator[Outcome]:
        return self._outcomes("unused", **rest)

    def dropunused(self, numbers: tuple[str, ...], **rest: Any) -> Iterator[Outcome]:
        return self._outcomes("dropunused", numbers=numbers, **rest)

    def plan_dropunused(self, numbers: tuple[str, ...], **rest: Any) -> Plan:
        return self._plan("plan_dropunused", numbers=numbers, **rest)

    def fsck(self, paths: tuple[str, ...], **rest: Any) -> Iterator[Outcome]:
        return self._outcomes("fsck", paths=paths, **rest)

    def plan_fsck(self, paths: tuple[str, ...], **rest: Any) -> Plan:
        return self._plan("plan_fsck", paths=paths, **rest)

    def _outcomes(self, verb: str, **asked: Any) -> Iterator[Outcome]:
        self.asked = {"verb": verb, **asked}
        return iter(self.given)

    def _plan(self, verb: str, **asked: Any) -> Plan:
        self.asked = {"verb": verb, **asked}
        return Plan(steps=(PlannedStep(action="drop", item="x"),))


def asked(engram: Engram, *words: str) -> dict[str, Any]:
    custody = FakeCustody()
    said = engram(*words, rooms={"Custody": custody})
    assert said.code == 0, said.err
    return custody.asked


def shown(engram: Engram, *words: str, outcomes: tuple[Outcome, ...]) -> Shown:
    return engram(*words, rooms={"Custody": FakeCustody(*outcomes)}, environment={"TERM": "dumb"})


FILES = {
    "paths": (),
    "dataset": None,
    "recursive": False,
    "recursion_limit": None,
    "keys": (),
    "all_keys": False,
    "unused": False,
}
FSCK = {**FILES, "full": False, "jobs": None}


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("whereis", {"verb": "whereis", **FILES}),
        ("whereis a b -d ds -r -R 2", {"verb": "whereis", **FILES, "paths": ("a", "b"), "dataset": "ds"}),
        (f"whereis --key {KEY} --key X", {"verb": "whereis", **FILES, "keys": (KEY, "X")}),
        ("whereis -A", {"verb": "whereis", **FILES, "all_keys": True}),
        ("whereis -U", {"verb": "whereis", **FILES, "unused": True}),
        ("numcopies", {"verb": "numcopies", "number": None, "dataset": None}),
        ("numcopies 2 -d ds", {"verb": "numcopies", "number": 2, "dataset": "ds"}),
        ("numcopies 2 --dry-run", {"verb": "plan_numcopies", "number": 2, "dataset": None}),
        ("unused", {"verb": "unused", "dataset": None, "fast": False, "used_refspec": None}),
        ("unused --fast --used-refspec +*", {"verb": "unused", "dataset": None, "fast": True, "used_refspec": "+*"}),
        ("dropunused 1 3-9", {"verb": "dropunused", "numbers": ("1", "3-9"), "dataset": None, "force": False}),
        ("dropunused all --force", {"verb": "dropunused", "numbers": ("all",), "dataset": None, "force": True}),
        ("dropunused 1 --dry-run", {"verb": "plan_dropunused", "numbers": ("1",), "dataset": None, "force": False}),
        ("fsck", {"verb": "fsck", **FSCK}),
        ("fsck --full a -J 4", {"verb": "fsck", **FSCK, "full": True, "paths": ("a",), "jobs": 4}),
        ("fsck --all --dry-run", {"verb": "plan_fsck", **FSCK, "all_keys": True}),
    ],
)
def test_options_arrive(engram: Engram, words: str, wanted: dict[str, Any]) -> None:
    if "-R 2" in words:
        wanted = {**wanted, "recursive": True, "recursion_limit": 2}
    said = asked(engram, *words.split())
    said.pop("count_sound", None)
    assert said == wanted


@pytest.mark.parametrize("before", ["", "--json", "-f {path}", "-f generic"])
def test_sound_files_are_only_counted_where_nobody_sees_them(engram: Engram, before: str) -> None:
    assert (asked(engram, *shlex.split(before), "fsck", "--full")["count_sound"] is None) is bool(before)


@pytest.mark.parametrize("words", ["numcopies 0", "numcopies -1", "numcopies x", "fsck -J 0", "whereis -R -1"])
def test_what_makes_no_sense_is_refused(engram: Engram, words: str) -> None:
    custody = FakeCustody()
    said = engram(*words.split(), rooms={"Custody": custody})
    assert (said.code, custody.asked) == (2, {})


@pytest.mark.parametrize("number", ["two", "0", "2.5", "²"])
def test_what_is_no_number_of_copies_is_told_in_plain_words(engram: Engram, number: str) -> None:
    said = engram("numcopies", number, rooms={"Custody": FakeCustody()})
    assert said.err.splitlines() == [
        f"{number} is no number of copies.",
        "Give a number of 1 or more: engram numcopies 2",
    ]


def copy(name: str, **more: Any) -> Copy:
    facts = {"uuid": f"{name}-uuid", "description": "", "remote": name, "here": False, "trust": "semitrusted", **more}
    return Copy(**facts)


HERE = copy("", here=True)


def where(path: str, *copies: Copy, **more: Any) -> CopiesOutcome:
    facts = {"status": Status.OK, "type": "file", **more}
    return CopiesOutcome(
        action="whereis", item=path, path=f"/ds/{path}", refds="/ds", key=KEY, bytesize=5, copies=copies, **facts
    )


class TestWhereis:
    def test_a_file_is_a_line(self, engram: Engram) -> None:
        outcomes = (
            where("a", HERE, copy("origin")),
            where("b", copy("", description="the archive"), copy("usb", trust="untrusted")),
            where("c", copy("web", urls=("http://x.org/\x1bc",))),
            where("d", status=Status.ERROR, message="nobody", error="NoCopy", remedy="Ask."),
        )
        assert shown(engram, "whereis", outcomes=outcomes).out == (
            "a: here, origin\n"
            "b: the archive; not counted: usb (untrusted)\n"
            "c: web\n"
            "  web: http://x.org/\\x1bc\n"
            "whereis(error): d (file) [nobody]\n"
            "  Ask.\n"
            "4 files: 1 with content here, 2 with one copy only, 1 with no copy at all\n"
        )

    def test_of_a_key_the_digest_is_cut(self, engram: Engram) -> None:
        assert shown(engram, "whereis", outcomes=(where(KEY, HERE, type="key"),)).out == (
            "SHA256E-s5--2cf24dba5fb0….bin: here\n"
        )

    def test_lines_fit_on_a_narrow_screen(self, engram: Engram) -> None:
        outcomes = (where("sub-01/anat/sub-01_T1w.nii.gz", HERE, copy("origin"), copy("archive")),)
        assert all(len(line) <= 80 for line in shown(engram, "whereis", outcomes=outcomes).out.splitlines())

    def test_a_program_gets_every_copy_valid_against_the_schema(self, engram: Engram) -> None:
        said = shown(engram, "whereis", "--json", outcomes=(where("a", HERE, copy("o", urls=("http://x",))),))
        [record] = said.records
        Draft202012Validator(schemas()["outcome"]).validate(record)
        assert [one["uuid"] for one in record["copies"]] == ["-uuid", "o-uuid"]
        assert record["copies"][1]["urls"] == ["http://x"]


def about_keys(action: str, **more: Any) -> DatasetOutcome:
    facts = {"status": Status.OK, "type": "key", "key": KEY, "bytesize": 2048, **more}
    return DatasetOutcome(action=action, item="1", path="/ds", refds="/ds", **facts)


def test_numcopies_says_who_said_so(engram: Engram) -> None:
    extra = (
        ("numcopies", 2),
        ("numcopies_source", "numcopies.log"),
        ("mincopies", 1),
        ("mincopies_source", "default"),
        ("own_rules", ".gitattributes"),
    )
    outcome = about_keys("numcopies", type="dataset", key="", extra=extra)
    assert shown(engram, "numcopies", outcomes=(outcome,)).out == (
        "numcopies 2   set for every clone\n"
        "mincopies 1   nobody set it: the default\n"
        "Some files have numbers of their own: see .gitattributes\n"
    )


class TestUnused:
    def test_is_a_table_with_what_to_type_next(self, engram: Engram) -> None:
        outcomes = (
            about_keys("unused", extra=(("number", 1), ("kind", "unused"))),
            about_keys("unused", extra=(("number", 2), ("kind", "bad"))),
            about_keys("unused", extra=(("number", 3), ("kind", "tmp"))),
        )
        assert shown(engram, "unused", outcomes=outcomes).out == (
            "     1     2.0 KB  SHA256E-s5--2cf24dba5fb0….bin\n"
            "     2     2.0 KB  SHA256E-s5--2cf24dba5fb0….bin  (damaged, set aside)\n"
            "     3     2.0 KB  SHA256E-s5--2cf24dba5fb0….bin  (came half-way)\n"
            "3 contents, 6.0 KB; to drop: engram dropunused 1-3\n"
        )

    def test_nothing_is_said_to_be_nothing(self, engram: Engram) -> None:
        nothing = about_keys("unused", type="dataset", key="", status=Status.NOT_NEEDED, note="all is used")
        assert shown(engram, "unused", outcomes=(nothing,)).out == "all is used\n"

    def test_a_program_gets_number_and_kind(self, engram: Engram) -> None:
        outcomes = (about_keys("unused", extra=(("number", 1), ("kind", "unused"))),)
        [record] = shown(engram, "unused", "--json", outcomes=outcomes).records
        Draft202012Validator(schemas()["outcome"]).validate(record)
        assert (record["number"], record["kind"], record["key"]) == (1, "unused", KEY)


def test_dropunused_names_number_and_key(engram: Engram) -> None:
    outcomes = (
        about_keys("dropunused", extra=(("number", 1), ("kind", "unused"))),
        about_keys("dropunused", extra=(("number", 2),), status=Status.ERROR, message="unsafe", remedy="Copy it."),
    )
    said = shown(engram, "dropunused", "all", outcomes=outcomes)
    assert said.out == (
        "dropunused(ok): 1 SHA256E-s5--2cf24dba5fb0….bin\n"
        "dropunused(error): 2 SHA256E-s5--2cf24dba5fb0….bin [unsafe]\n"
        "  Copy it.\n"
        "1 content dropped, 2.0 KB\n"
    )
    assert said.code == 3


def test_fsck_shows_what_was_mended_and_what_is_wrong_and_counts_the_rest(engram: Engram) -> None:
    outcomes = (
        where("a", HERE),
        where("b", HERE, note="the location log was wrong, and is right now"),
        where("c", status=Status.ERROR, message="it is damaged", error="ChecksumMismatch", remedy="Fetch it."),
    )
    said = shown(engram, "fsck", "--full", outcomes=outcomes)
    assert said.out == (
        "whereis(ok): b (file) [the location log was wrong, and is right now]\n"
        "whereis(error): c (file) [it is damaged]\n"
        "  Fetch it.\n"
        "3 files checked (every byte): 1 sound, 1 with a remark, 1 not\n"
    )
    assert said.code == 3


def test_a_plan_is_shown(engram: Engram) -> None:
    said = engram("fsck", "--dry-run", "--json", rooms={"Custody": FakeCustody()})
    assert json.loads(said.out)["record"] == "plan"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (KEY, "SHA256E-s5--2cf24dba5fb0….bin"),
        ("WORM-s3-m5--some file.txt", "WORM-s3-m5--some file.txt"),
        ("URL--http://x.org/\x1b[2J", "URL--http://x.org/\\x1b[2J"),
        ("no key at all", "no key at all"),
    ],
)
def test_only_digests_are_cut(key: str, text: str) -> None:
    assert short_key(key) == text
