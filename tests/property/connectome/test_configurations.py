"""A configuration that is written reads back, and whatever is read is taken or refused."""

import types
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from engram.connectome.config.inputs import (
    Annotations,
    ElementTable,
    Inputs,
    Neurotransmitters,
    RoiSet,
    Segmentation,
    Synapses,
)
from engram.connectome.config.kinds import InputFile
from engram.connectome.config.meta import Meta, NeuronColumn, Tree
from engram.connectome.config.outputs import (
    FlatConnectome,
    Indexes,
    Neuprint,
    NeuronLabelCriteria,
    Outputs,
    ReportSet,
    SkeletonSets,
)
from engram.connectome.config.reading import parse_config, parse_meta
from engram.connectome.config.records import Config, JobSettings
from engram.connectome.config.shaping import Shaper, hints_of
from engram.connectome.config.templates import template
from engram.connectome.config.writing import as_yaml
from engram.connectome.config.yaml_nodes import node_of_yaml
from engram.model.errors import BadSnapshotConfig

#: What a YAML writer may get wrong stands among them.
TRAPS = (
    "NO no on yes 1e6 .inf .nan ~ null true 010 1_000 08:30 0x1f 0o7 2026-01-01 <<: = - -- a:b # * & ! % @ ` '".split()
)
odd = st.sampled_from(["", " ", "a b", "Zürich", "a\nb", "a\tb", "'", '"', *TRAPS])
printable = st.one_of(odd, st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=8))
keys = printable.map(lambda text: text.replace("processes", "p"))
trees = st.recursive(
    st.one_of(st.none(), st.lists(printable, max_size=2).map(tuple), printable.map(lambda name: f"roiset://{name}")),
    lambda inner: st.dictionaries(keys, inner, max_size=2),
    max_leaves=5,
)


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a kind, as annotations say it."""
    origin = get_origin(kind)
    if origin is Annotated:
        return _marked(kind)
    if origin in (Union, types.UnionType):
        return st.one_of(*map(values, get_args(kind)))
    if origin is Literal:
        return st.sampled_from(get_args(kind))
    if origin is tuple:
        inner, *rest = get_args(kind)
        if rest == [Ellipsis]:
            return st.lists(values(inner), max_size=2).map(tuple)
        return st.tuples(*(values(one) for one in get_args(kind)))
    if origin is not None and issubclass(origin, Mapping):
        return st.dictionaries(keys, values(get_args(kind)[1]), max_size=2)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return records(kind)
    numbers = st.floats(0, 1e6).map(float)
    simple = {
        str: printable,
        bool: st.booleans(),
        int: st.integers(0, 10**6),
        float: numbers,
        types.NoneType: st.none(),
    }
    return simple.get(kind, st.dictionaries(keys, printable, max_size=2))


def _marked(kind: Any) -> st.SearchStrategy[Any]:
    inner, *marks = get_args(kind)
    for mark in marks:
        if isinstance(mark, Tree):
            return trees
        if isinstance(mark, InputFile):
            named = printable.map(lambda text: text.replace("://", ""))
            return st.tuples(named, st.just("".join(mark.endings[:1]))).map("".join)
        if isinstance(mark, msgspec.Meta):
            highest = mark.le if mark.le is not None else 10**6
            return st.integers(1, int(highest)) if inner is int else st.floats(0.5, float(highest))
    return values(inner)


def records(kind: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    fields = hints_of(kind)
    of = {
        name: values(hint)
        for name, hint in fields.items()
        if name in {one.name for one in msgspec.structs.fields(kind)}
    }
    return st.builds(kind, **of)


SECTIONS: tuple[type[msgspec.Struct], ...] = (
    *(Annotations, ElementTable, Neurotransmitters, RoiSet, Segmentation, Synapses),
    *(FlatConnectome, Indexes, JobSettings, Meta, NeuronLabelCriteria, NeuronColumn, ReportSet, SkeletonSets),
)


@given(st.one_of(*map(records, SECTIONS)))
def test_a_section_that_is_written_reads_back(section: msgspec.Struct) -> None:
    shaper, node = Shaper(""), node_of_yaml(as_yaml(section))
    assert node is not None
    assert shaper.record(type(section), node, ()) == section
    assert shaper.problems == []


@given(records(Meta), records(Synapses), records(Annotations))
def test_a_configuration_that_is_written_reads_back(meta: Meta, synapses: Synapses, annotations: Annotations) -> None:
    config = Config(
        inputs=Inputs(synapses=synapses, annotations=annotations), outputs=Outputs(neuprint=Neuprint(meta=meta))
    )
    assert parse_config(as_yaml(config)) == config


LINES = [*template(comments=True).splitlines(), *template(meta=True).splitlines()]
pieces = st.one_of(
    st.sampled_from(LINES),
    st.sampled_from(["- a", "  - &a [*a]", "? [x]", "<<: *a", "---", "\t", "{", "'"]),
    st.text(max_size=12),
)


@given(st.lists(pieces, max_size=12).map("\n".join))
def test_whatever_stands_in_a_file_is_taken_or_refused(text: str) -> None:
    for parse in (parse_config, parse_meta):
        with suppress(BadSnapshotConfig):
            parse(text)
