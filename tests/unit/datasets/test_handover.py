"""What git-annex answered belongs to the right file, whatever the file's name is."""

import json

from engram.datasets.saving.handover import _answers


def line(file: str, **fields: object) -> bytes:
    return json.dumps({"file": file, **fields}).encode()


def test_one_line_a_path_is_told_by_its_place() -> None:
    paths = [b"a", b"\xff\xfe", b"new\nline"]
    lines = [line("a"), b"", line("new\ufffdline")]
    assert _answers(b"\n".join([*lines, b""]), paths) == [(b"a", lines[0]), (b"new\nline", lines[2])]


def test_where_it_says_more_each_line_names_its_file() -> None:
    said = [line("a", side=1), line("a", side=2), line("b")]
    assert _answers(b"\n".join([*said, b""]), [b"a", b"b"]) == [(b"a", said[0]), (b"a", said[1]), (b"b", said[2])]


def test_nothing_said_is_nothing() -> None:
    assert _answers(b"", []) == []
    assert _answers(b"\n", [b"a"]) == []
