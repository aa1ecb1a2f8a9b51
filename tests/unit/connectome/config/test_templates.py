"""A template holds every key with its default, and reads back as the defaults."""

from collections.abc import Mapping

import msgspec
import pytest
import yaml

from engram.connectome.config.meta import Meta
from engram.connectome.config.reading import parse_config, parse_meta
from engram.connectome.config.records import Config
from engram.connectome.config.shaping import hints_of
from engram.connectome.config.templates import entry_kind, template
from engram.connectome.config.writing import as_data
from engram.model.notes import field_notes


@pytest.mark.parametrize("comments", [False, True])
def test_a_template_reads_back_as_the_defaults(comments: bool) -> None:
    assert parse_config(template(comments=comments)) == Config()
    assert parse_meta(template(meta=True, comments=comments)) == Meta()


def test_a_template_holds_every_key_and_value() -> None:
    assert yaml.safe_load(template()) == as_data(Config())
    assert yaml.safe_load(template(meta=True)) == as_data(Meta())


def test_keys_of_our_own_are_comments() -> None:
    """flyem-snapshot takes a template as it is."""
    assert "# csv-compression: none\n" in template(comments=True)
    assert "csv-compression" not in template()


def test_every_key_is_explained() -> None:
    for kind in records(Config) | records(Meta):
        notes = field_notes(kind)
        for field in msgspec.structs.fields(kind):
            assert notes[field.name].endswith("."), f"{kind.__name__}.{field.name}"
        assert kind.__doc__


def test_comments_say_what_a_list_takes() -> None:
    text = template(comments=True)
    assert "    point-annotations: []\n      # - instance: ''\n      #   column-name: ''\n" in text
    assert "    # NAME:\n    #   export-skeletons: false\n" in text
    assert "    # keeps both. One of: '', brain, vnc.\n    zone: ''\n" in text
    assert max(map(len, text.splitlines())) <= 120


def records(kind: type[msgspec.Struct]) -> set[type[msgspec.Struct]]:
    """A record and all that it holds."""
    found = {kind}
    for name, hint in hints_of(kind).items():
        value = getattr(kind(), name, None)
        inner = type(value) if isinstance(value, msgspec.Struct) else entry_kind(hint)
        if inner is not None:
            found |= records(inner)
    return found


def test_a_record_is_what_flyem_snapshot_has(sample_texts: Mapping[str, str]) -> None:
    """Every key that flyem-snapshot writes into a completed configuration has the same default here, but two names."""
    theirs = yaml.safe_load(sample_texts["expected/final-config.yaml"])
    ours = as_data(Config())
    for section in ("dvid-seg", "body-sizes", "neurotransmitters", "annotations", "synapses"):
        assert set(theirs["inputs"][section]) == set(ours["inputs"][section])
    for section in ours["outputs"]:
        if section != "connectivity-reports":
            assert set(theirs["outputs"][section]) == set(ours["outputs"][section])
    criteria = theirs["outputs"]["neuprint"]["neuron-label-criteria"]
    assert ours["outputs"]["neuprint"]["neuron-label-criteria"] == criteria
    assert ours["outputs"]["neuprint"]["indexes"] == theirs["outputs"]["neuprint"]["indexes"]
    assert ours["inputs"]["dvid-seg"] == theirs["inputs"]["dvid-seg"]
    assert ours["job-settings"]["logging-config"] == theirs["job-settings"]["logging-config"]
