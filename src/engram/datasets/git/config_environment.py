"""Settings that git takes from its environment and from the options of one call.

Source: git(1) "-c", git-config(1) "ENVIRONMENT"
"""

import re
from collections.abc import Iterator, Mapping

from engram.datasets.git.config_file import Setting, canonical, switch
from engram.model.errors import BadSetting

_SOURCE = "the environment"
_QUOTED = r"'(?>(?:[^']|'\\['!]')*)'"
_PARAMETER = re.compile(rf"(?P<key>{_QUOTED})(?>(?:=(?P<value>(?>(?:{_QUOTED})?)))?)(?:[ \t\r\n]++|\Z)")
_COUNT = re.compile(r"[0-9]{1,10}")
_ESCAPED_QUOTE = re.compile(r"'\\(['!])'")


def from_environment(environment: Mapping[str, str]) -> Iterator[Setting]:
    """The settings of ``GIT_CONFIG_COUNT`` and ``GIT_CONFIG_PARAMETERS``."""
    count = environment.get("GIT_CONFIG_COUNT") or "0"
    if not _COUNT.fullmatch(count):
        raise BadSetting("GIT_CONFIG_COUNT", _SOURCE, "it is no number")
    for number in range(int(count)):
        key = environment.get(f"GIT_CONFIG_KEY_{number}")
        value = environment.get(f"GIT_CONFIG_VALUE_{number}")
        if key is None or value is None:
            raise BadSetting("GIT_CONFIG_COUNT", _SOURCE, f"key or value {number} is missing")
        yield _name(key, _SOURCE), value
    yield from _parameters(environment.get("GIT_CONFIG_PARAMETERS", ""))


def is_on(environment: Mapping[str, str], variable: str) -> bool:
    """Whether a variable that is on or off is on; without it, off."""
    on = switch(environment.get(variable, ""))
    if on is None:
        raise BadSetting(variable, _SOURCE, "it is neither true nor false")
    return on


def from_overrides(overrides: tuple[str, ...]) -> Iterator[tuple[str, str | None, bool]]:
    """``NAME=VALUE``, ``NAME`` (true) and ``:NAME`` (not set at all): name, value, and whether it is set."""
    for override in overrides:
        if override.startswith(":"):
            yield _name(override[1:], "an option"), None, False
        else:
            name, equals, value = override.partition("=")
            yield _name(name, "an option"), value if equals else None, True


def _parameters(text: str) -> Iterator[Setting]:
    position = 0
    while position < len(text):
        found = _PARAMETER.match(text, position)
        if found is None:
            raise BadSetting("GIT_CONFIG_PARAMETERS", _SOURCE, "its quotes do not fit")
        position = found.end()
        key, value = _unquoted(found["key"]), found["value"]
        if value is None:
            key, equals, rest = key.partition("=")
            yield _name(key.strip(" \t\r\n"), _SOURCE), rest if equals else None
        else:
            yield _name(key, _SOURCE), _unquoted(value) if value else None


def _unquoted(text: str) -> str:
    return _ESCAPED_QUOTE.sub(r"\1", text[1:-1])


def _name(text: str, source: str) -> str:
    name = canonical(text)
    if name is None:
        raise BadSetting(text, source, "it is no name of a git setting, which has a section and a name: user.email")
    return name
