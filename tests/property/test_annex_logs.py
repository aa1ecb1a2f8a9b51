"""Laws of logs: versions merge in any order, and what was written is read."""

from hypothesis import given
from hypothesis import strategies as st

from engram.datasets.annex.logs import holders, merged, union, values_by_uuid, with_line, with_value

uuids = st.sampled_from([b"a", b"b", b"c", b"d e"])
times = st.builds(
    lambda seconds, fraction: str(seconds) + fraction + "s",
    st.integers(0, 5),
    st.sampled_from(["", ".5", ".50", ".25", ".123456789"]),
)
lines = st.builds(
    lambda time, status, uuid: f"{time} {status} ".encode() + uuid + b"\n", times, st.sampled_from("10X"), uuids
) | st.sampled_from([b"unknown line\n", b"7s 9 a\n"])
logs = st.lists(lines, max_size=8).map(b"".join)


@given(logs, logs, logs)
def test_versions_merge_in_any_order(one: bytes, two: bytes, three: bytes) -> None:
    assert merged([one, two]) == merged([two, one])
    assert merged([merged([one, two]), three]) == merged([one, merged([two, three])]) == merged([one, two, three])


@given(logs)
def test_merging_twice_equals_merging_once(log: bytes) -> None:
    once = merged([log])
    assert merged([once]) == once == merged([once, log])


@given(logs, uuids, st.booleans(), st.integers(0, 9))
def test_what_was_written_is_read_and_nothing_else_changes(log: bytes, uuid: bytes, present: bool, now_s: int) -> None:
    new = with_line(log, uuid, present, now_s)
    assert (uuid in holders(new)) == present
    assert set(holders(new)) - {uuid} == set(holders(log)) - {uuid}
    assert with_line(new, uuid, present, now_s + 1) == new


@given(logs, uuids, st.booleans(), st.integers(0, 9))
def test_a_new_line_wins_over_every_older_version(log: bytes, uuid: bytes, present: bool, now_s: int) -> None:
    new = with_line(log, uuid, present, now_s)
    if (uuid in holders(log)) != present:
        assert (uuid in holders(union([log, new]))) == present
        assert (uuid in holders(union([new, log]))) == present
        assert (uuid in holders(merged([log, new]))) == present


@given(logs, logs)
def test_a_union_holds_every_line_of_both(one: bytes, two: bytes) -> None:
    assert set(union([one, two]).splitlines()) == set(one.splitlines()) | set(two.splitlines())


@given(
    st.lists(st.tuples(uuids.filter(lambda uuid: b" " not in uuid), st.sampled_from([b"x", b"y z"]))), st.integers(0, 9)
)
def test_the_last_value_written_is_read(changes: list[tuple[bytes, bytes]], now_s: int) -> None:
    log = b""
    for uuid, value in changes:
        log = with_value(log, uuid, value, now_s)
    assert values_by_uuid(log) == dict(changes)
