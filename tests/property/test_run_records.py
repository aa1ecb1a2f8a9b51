"""Run records: what is printed reads back as itself, and whatever is read is either a record or refused."""

import json
import lzma
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.datasets.provenance.run_records import LONGEST_BYTES, RunMessage, RunRecord, parse_sidecar, subject_for
from engram.model.errors import BadRecord

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
names = st.lists(texts, max_size=3).map(tuple)
shas = st.text("0123456789abcdef", min_size=40, max_size=40)
records = st.builds(
    RunRecord,
    cmd=texts.filter(bool) | st.lists(texts, min_size=1, max_size=4).map(tuple),
    chain=st.lists(shas, max_size=3).map(tuple),
    inputs=names,
    extra_inputs=names,
    outputs=names,
    pwd=st.sampled_from([".", "a", "a/b c", "ä"]),
    dsid=st.sampled_from(["", "85f04569-872d-494c-a973-5e41bdf1cb74"]),
    exit=st.none() | st.integers(-31, 255),
)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
anything = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))
fields = st.dictionaries(
    st.sampled_from(["cmd", "chain", "inputs", "outputs", "extra_inputs", "pwd", "dsid", "exit", "more"]), anything
)


@given(records)
def test_a_printed_record_reads_back_as_itself(record: RunRecord) -> None:
    again = RunRecord.parse(record.text)
    assert again.fields | {"exit": record.exit} == record.fields | {"exit": record.exit}
    assert parse_sidecar(record.sidecar).fields == again.fields


@given(st.text(st.characters(codec="utf-8"), max_size=40), records)
def test_a_printed_message_reads_back_as_itself(subject: str, record: RunRecord) -> None:
    again = RunMessage.of(str(RunMessage(subject=subject, record=record)))
    assert again is not None
    assert again.subject == subject.rstrip()
    assert isinstance(again.record, RunRecord)
    assert again.record.text == RunRecord.parse(record.text).text


@given(fields)
def test_whatever_stands_in_a_record_it_is_read_or_refused(found: dict[str, Any]) -> None:
    try:
        record = RunRecord.parse(json.dumps(found))
    except BadRecord:
        return
    assert record.cmd
    assert RunRecord.parse(record.text).text == record.text


@given(st.binary(max_size=200))
def test_whatever_stands_in_a_file_it_is_read_or_refused(content: bytes) -> None:
    for data in (content, lzma.compress(content)):
        try:
            parse_sidecar(data)
        except BadRecord:
            continue


class TestHostile:
    @pytest.mark.parametrize(
        "found",
        [
            {},
            {"cmd": ""},
            {"cmd": []},
            {"cmd": [1]},
            {"cmd": "a\0b"},
            {"cmd": "x", "inputs": 7},
            {"cmd": "x", "inputs": [["x"]]},
            {"cmd": "x", "outputs": ["a\0"]},
            {"cmd": "x", "pwd": "/etc"},
            {"cmd": "x", "pwd": "../elsewhere"},
            {"cmd": "x", "pwd": "a/../../elsewhere"},
            {"cmd": "x", "pwd": 3},
            {"cmd": "x", "dsid": 3},
            {"cmd": "echo \ud83d"},
            {"cmd": "x", "inputs": ["\ud800"]},
            {"cmd": "x", "pwd": "\udbff"},
            {"cmd": "x", "dsid": "\ud800"},
            {"cmd": "x", "exit": "0"},
            {"cmd": "x", "exit": True},
            [],
            "x",
        ],
        ids=str,
    )
    def test_what_no_record_may_say_is_refused(self, found: object) -> None:
        with pytest.raises(BadRecord):
            RunRecord.from_fields(found)

    @pytest.mark.parametrize("name", ["../../etc/passwd", "a" * 31, "A" * 32, "/" * 32, "a" * 33, ""])
    def test_a_file_is_never_looked_for_elsewhere(self, name: str) -> None:
        text = f'[DATALAD RUNCMD] x\n\n=== Do not change lines below ===\n"{name}"\n^^^ Do not change lines above ^^^\n'
        with pytest.raises(BadRecord):
            RunMessage.of(text)

    def test_a_record_that_is_deep_is_refused(self) -> None:
        with pytest.raises(BadRecord):
            RunRecord.parse('{"cmd": ' + "[" * 200_000 + "]" * 200_000 + "}")

    def test_a_record_that_is_huge_is_refused(self) -> None:
        with pytest.raises(BadRecord, match="longer"):
            RunRecord.parse(" " * (LONGEST_BYTES + 1))

    def test_a_number_that_is_huge_is_refused(self) -> None:
        with pytest.raises(BadRecord):
            RunRecord.parse('{"cmd": "x", "exit": ' + "9" * 10_000 + "}")

    def test_a_file_that_unpacks_without_end_is_refused(self) -> None:
        with pytest.raises(BadRecord, match="unpacks to more"):
            parse_sidecar(lzma.compress(b"x" * (LONGEST_BYTES + 10)))

    def test_a_file_that_needs_all_the_memory_is_refused(self) -> None:
        filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 29}]
        compressor = lzma.LZMACompressor(lzma.FORMAT_XZ, filters=filters, preset=None)
        with pytest.raises(BadRecord, match="does not unpack"):
            parse_sidecar(compressor.compress(b"x") + compressor.flush())


def test_what_no_run_wrote_is_no_record() -> None:
    for text in ("", "fix", "[DATALAD RUNCMD] x", "x\n[DATALAD RUNCMD] y\n=== Do not change lines below ===\n{}\n"):
        assert RunMessage.of(text) is None


def test_marks_in_the_message_do_not_end_the_record() -> None:
    record = RunRecord(cmd="echo '\n^^^ Do not change lines above ^^^'", inputs=("=== Do not change lines below ===",))
    again = RunMessage.of(str(RunMessage(subject="=== Do not change lines below ===\n{}", record=record)))
    assert again is not None
    assert again.record == record


def test_an_old_record_holds_words() -> None:
    assert RunRecord.parse('{"cmd": ["a", "b c"]}').cmd == ("a", "b c")


def test_the_subject_is_cut_at_forty_letters() -> None:
    assert subject_for("ä" * 40) == "ä" * 40
    assert subject_for("ä" * 41) == "ä" * 40 + "..."
