"""Configurations as YAML: ``final-config.yaml`` and ``neuprint-meta.yaml`` beside a snapshot's tables.

What is written reads back as what it was, here and in flyem-snapshot.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import yaml

from engram.connectome.config.nodes import Scalar

#: Widest line, so that short lists stand in one.
_WIDTH = 120


def as_data(record: msgspec.Struct) -> dict[str, Any]:
    """A record as plain mappings, lists and values, with the keys of the file.

    >>> from engram.connectome.config.outputs import Report
    >>> as_data(Report(name="all"))
    {'rois': [], 'name': 'all', 'non-synaptic-bodies': ''}

    Keys of our own that say nothing else than their default are left out: flyem-snapshot refuses keys that it does not
    know.
    """
    data: dict[str, Any] = {}
    named, own = getattr(type(record), "NAMED", ""), getattr(type(record), "OWN", ())
    for field in msgspec.structs.fields(type(record)):
        value = plain_data(getattr(record, field.name))
        if field.name in own and value == plain_data(field.default):
            continue
        if field.name == named:
            data |= value
        else:
            data[field.encode_name] = value
    return data


def plain_data(value: Any) -> Any:  # noqa: ANN401 (whatever a configuration holds)
    """A value as plain mappings, lists and values."""
    if isinstance(value, msgspec.Struct):
        return as_data(value)
    if isinstance(value, Mapping):
        return {name: plain_data(inner) for name, inner in value.items()}
    if isinstance(value, tuple | list):
        return [plain_data(inner) for inner in value]
    return value


def as_yaml(record: msgspec.Struct) -> str:
    """A record as YAML."""
    return yaml_of(as_data(record))


def yaml_of(data: object) -> str:
    """Plain data as YAML, in the order that it has."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH, default_flow_style=None)


def inline(value: object) -> str:
    """A value in one line.

    >>> inline(["NO", "1e6", "a, b"]), inline(""), inline(None)
    ("['NO', '1e6', 'a, b']", "''", 'null')
    """
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1 << 20, default_flow_style=True
    )
    return text.removesuffix("...\n").strip()


class _Dumper(yaml.SafeDumper):
    """Writes for readers of YAML 1.2, too, to whom ``1e6`` is a number; and no anchors."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 (the name is the library's)
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    is_text_everywhere = isinstance(Scalar(text).value, str) and not Scalar(text).is_endless
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if is_text_everywhere else "'")


_Dumper.add_representer(str, _text)
