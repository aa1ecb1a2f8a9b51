"""Findings quote names and texts of strangers."""

import pytest

from engram.model.findings import FINDINGS, Finding, Severity


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("Größe, 大きさ.", "Größe, 大きさ."),
        ("a\nb\x1b[31m.", "a\\nb\\x1b[31m."),
        ("\udcff\udc80.", "\\xff\\x80."),
        ("\ud800\u202e.", "\\ud800\\u202e."),
    ],
)
def test_a_message_is_one_line_that_a_terminal_can_show(message: str, shown: str) -> None:
    finding = Finding(code="malformed", path="a", message=message)
    assert finding.message == shown
    assert finding.message.isprintable()


@pytest.mark.parametrize("code", FINDINGS)
def test_every_kind_says_what_it_means_and_what_to_do(code: str) -> None:
    finding = Finding(code=code, path="a", message="x.")
    assert finding.severity in Severity
    assert FINDINGS[code].meaning.endswith(".")
    assert finding.remedy
    assert finding.as_json()["code"] == code
