"""Names are kept byte for byte, in text that every database takes."""

import os

from hypothesis import given
from hypothesis import strategies as st

from engram.catalogue.names import PATH_KEY_LENGTH, escaped, path_key, unescaped

#: As a file system gives them.
paths = st.binary(max_size=60).filter(lambda name: b"\0" not in name).map(os.fsdecode)


@given(paths)
def test_an_escaped_name_reads_back_as_itself(name: str) -> None:
    assert unescaped(escaped(name)) == name
    escaped(name).encode()  # raises for half of a character


@given(paths, paths)
def test_two_names_stay_two(one: str, other: str) -> None:
    assert (escaped(one) == escaped(other)) == (one == other)
    assert (path_key(escaped(one)) == path_key(escaped(other))) == (one == other)
    assert len(path_key(escaped(one))) == PATH_KEY_LENGTH


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\\")))
def test_an_ordinary_name_is_kept_as_it_is(name: str) -> None:
    assert escaped(name) == name
