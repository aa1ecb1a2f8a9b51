"""Whatever is wrong with a configuration is told at its place, all of it at once, before anything is built."""

import json
import os
from pathlib import Path

import pytest

from engram.connectome.config.reading import parse_config, parse_meta, read_config
from engram.connectome.config.records import Config
from engram.connectome.neuroglancer import view_of
from engram.model.errors import BadSnapshotConfig, UsageError

#: A configuration that is as short as can be.
SHORT = """\
inputs:
  synapses:
    synapse-points: points.feather
    synapse-partners: partners.feather
  annotations:
    body-annotations-table: bodies.csv
outputs: {}
job-settings:
  snapshot-tag: v1
"""


def told(text: str, folder: Path, **more: str) -> list[str]:
    """The problems of a configuration, without the name of its file."""
    (folder / "c.yaml").write_text(text)
    for name, content in more.items():
        (folder / name.replace("_", ".")).write_text(content)
    with pytest.raises(BadSnapshotConfig) as caught:
        read_config(str(folder / "c.yaml"), here=str(folder))
    return [problem.removeprefix("c.yaml, ") for problem in caught.value.problems]


def of(text: str, folder: Path) -> Config:
    (folder / "c.yaml").write_text(text)
    return read_config(str(folder / "c.yaml"), here=str(folder))


def test_a_short_configuration_is_enough(tmp_path: Path) -> None:
    config = of(SHORT, tmp_path)
    assert config.job_settings.output_dir == str(tmp_path / "v1")
    assert config.inputs.rois.roi_sets == {}
    assert config.outputs.flat_connectome.roi_set == ""


@pytest.mark.parametrize("roi", ["pre", "bodyId", "type", "status", "location", "confidence"])
def test_a_roi_cannot_have_the_name_of_a_property_of_the_database(roi: str, tmp_path: Path) -> None:
    sets = f"  rois:\n    roi-sets:\n      p: {{source: point-table, rois: [A, {roi}]}}\n"
    text = SHORT.replace(
        "outputs: {}\n", f"{sets}outputs:\n  neuprint: {{export-neuprint-snapshot: true, meta: m.yaml}}\n"
    )
    meta = "dataset: d\nprimaryRois: [A]\nroiHierarchy: {A: }\n"
    what = f"inputs.rois.roi-sets.p.rename-rois: bodies or synapses of neuPrint have a property {roi}: "
    assert [one.partition(": ")[2] for one in told(text, tmp_path, m_yaml=meta)] == [f"{what}give the ROI another name"]
    renamed = text.replace(f"{roi}]", f"{roi}], rename-rois: {{{roi}: B}}")
    assert of(renamed, tmp_path).inputs.rois.roi_sets["p"].rename_rois == {roi: "B"}
    assert of(text.replace("snapshot: true", "snapshot: false"), tmp_path).inputs.rois.roi_sets.keys() == {"p"}


def test_all_problems_are_told_at_once_each_at_its_place(tmp_path: Path) -> None:
    text = SHORT.replace("outputs: {}", "outputs:\n  neuprint:\n    max-segment-files: many\n  flat-conectome: {}")
    text = text.replace("partners.feather", "partners.feather\n    min-confidence: 1.5\n    zone: vcn")
    assert told(f"{text}  processes: [2]\n  dvid-timeout: '3'\n", tmp_path) == [
        "line 5, column 21: inputs.synapses.min-confidence: 1.5 is not from 0 to 1",
        "line 6, column 11: inputs.synapses.zone: 'vcn' is none of the words that stand here; the nearest is vnc",
        "line 11, column 24: outputs.neuprint.max-segment-files: the text 'many' stands where a whole number is "
        "expected",
        "line 12, column 3: outputs: there is no key flat-conectome; the nearest is flat-connectome",
        "line 15, column 14: job-settings.processes: a list stands where a whole number is expected",
        "line 16, column 17: job-settings.dvid-timeout: the text '3' stands where a number is expected: take the "
        "quotes away",
    ]


def test_what_is_wrong_elsewhere_is_told_as_well(tmp_path: Path) -> None:
    text = SHORT.replace("snapshot-tag: v1", "snapshot-tag: v/1").replace("outputs: {}", "outputs: {x: 1}")
    assert told(text, tmp_path) == [
        "line 7, column 11: outputs: there is no key x; there are connectivity-reports, flat-connectome, meshes, "
        "neuprint, neurotransmitters, skeletons",
        "line 9, column 17: job-settings.snapshot-tag: 'v/1' becomes the name of a file, and holds a slash or a "
        "control character",
    ]


def test_what_must_be_there_is_missed(tmp_path: Path) -> None:
    assert told("inputs: {synapses: {}}\n", tmp_path)[:4] == [
        "line 1, column 1: outputs is missing",
        "line 1, column 1: job-settings.snapshot-tag: it is missing: without a DVID server nothing else names the "
        "snapshot",
        "line 1, column 9: inputs.annotations.body-annotations-table: reading annotations needs a DVID server: not "
        "supported yet; name a table",
        "line 1, column 20: inputs.synapses: synapse-partners is missing",
    ]
    assert "line 1, column 1: inputs is missing" in told("", tmp_path)


# ---- YAML ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [", "it is no YAML: while parsing a flow node"),
        ("a: 1\n---\nb: 2", "line 2, column 1: a second document begins here (---): a configuration is one"),
        ("a: !!python/object/apply:os.system [id]", "the tag tag:yaml.org,2002:python/object/apply:os.system is not"),
        ("a: *b", "line 1, column 4: *b stands for what is not there yet"),
        ("a: &b [*b]", "line 1, column 8: *b stands for what is not there yet"),
        ("[1]", "line 1, column 1: a list stands where a mapping is expected"),
        ("text", "line 1, column 1: the text 'text' stands where a mapping is expected"),
        ("? [a]\n: b", "line 1, column 3: a list stands where a key is expected: keys are words"),
        ("1: b", "line 1, column 1: the key 1 is no text: put it into quotes"),
        ("~: b", "line 1, column 1: the key ~ is no text: put it into quotes"),
        ("true: b", "line 1, column 1: the key true is no text: put it into quotes"),
        ("inputs: {}\ninputs: {}", "line 2, column 1: the key inputs is here twice, first on line 1"),
        ("<<: 5", "line 1, column 1: << takes a mapping, or a list of mappings"),
        ("[" * 50 + "]" * 50, "line 1, column 42: it is deeper than 40 levels"),
        ("\0", "it is no YAML: "),
    ],
)
def test_yaml_that_is_none_is_told(text: str, problem: str) -> None:
    with pytest.raises(BadSnapshotConfig) as caught:
        parse_config(text)
    assert problem in "\n".join(caught.value.problems)


def test_aliases_count_as_what_they_stand_for() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)]
    with pytest.raises(BadSnapshotConfig, match="stands for more than a configuration may hold"):
        parse_config("\n".join(lines))


def test_anchors_and_merge_keys_may_be_used(tmp_path: Path) -> None:
    text = SHORT.replace(
        "outputs: {}",
        "outputs:\n  flat-connectome: &off {export-connectome: false}\n  neuprint: {roi-set-names: &n []}",
    )
    text = text.replace("snapshot-tag: v1", "snapshot-tag: v1\n  <<: {processes: 3, snapshot-tag: v2}")
    config = of(text, tmp_path)
    assert (config.job_settings.snapshot_tag, config.job_settings.processes) == ("v1", 3)
    assert config.inputs.annotations.processes == 3


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("permit-body-0: no", "the text 'no' stands where true or false is expected: write true or false"),
        ("permit-body-0: on", "the text 'on' stands where true or false is expected: write true or false"),
        ("permit-body-0: 1", "1 stands where true or false is expected"),
        ("min-confidence: .nan", ".nan is no number that can be used here"),
        ("min-confidence: .inf", ".inf is no number that can be used here"),
        ("min-confidence: 00.5", ""),
        ("min-confidence: 01", "01 is another number in other programs: drop the 0"),
        ("min-confidence: 0:30", "the text '0:30' stands where a number is expected"),
        ("processes: 2.5", "2.5 stands where a whole number is expected"),
        ("processes: -1", "-1 is not from 0 on"),
        ("processes: 1e400", "the text '1e400' stands where a whole number is expected"),
        ("compartment-column: 5", "5 stands where text is expected: put it into quotes"),
        ("compartment-column: true", "true stands where text is expected: put it into quotes"),
        ("compartment-column:", "nothing stands where text is expected: write '' for none"),
        ("compartment-column: {a: b}", "a mapping stands where text is expected"),
        ("roi-set-names: primary", "the text 'primary' stands where a list of texts or null is expected"),
        ("roi-set-names: [1]", "1 stands where text is expected: put it into quotes"),
        ("synapse-points: x.csv", ""),
        ("min_confidence: 0.5", "there is no key min_confidence; the nearest is min-confidence"),
    ],
)
def test_words_and_numbers_are_what_yaml_makes_of_them(written: str, problem: str, tmp_path: Path) -> None:
    text = SHORT.replace("    synapse-points: points.feather\n", "") if "synapse-points" in written else SHORT
    text = text.replace("    synapse-partners", f"    {written}\n    synapse-partners")
    if problem:
        assert [one.partition(": ")[2].partition(": ")[2] for one in told(text, tmp_path)] == [problem]
    elif "csv" in written:
        assert "the text 'x.csv' ends in none of .feather, .parquet" in told(text, tmp_path)[0]
    else:
        assert of(text, tmp_path).inputs.synapses.min_confidence == 0.5


def test_no_is_the_noduli_and_a_million_is_a_number(tmp_path: Path) -> None:
    sets = "\n  rois:\n    roi-sets:\n      p: {source: point-table, rois: [NO, on, 'EB']}\noutputs:"
    reports = "\n  connectivity-reports:\n  - {roiset: p, stop-at-rank: 1e3, reports: [{rois: [NO]}]}"
    config = of(SHORT.replace("\noutputs: {}", sets + reports), tmp_path)
    assert config.inputs.rois.roi_sets["p"].rois == ("NO", "on", "EB")
    assert config.outputs.connectivity_reports[0].stop_at_rank == 1000
    assert config.outputs.connectivity_reports[0].reports[0].name == "NO"


@pytest.mark.parametrize("inside", ["", "deep/out"])
def test_a_file_is_no_place_for_a_snapshot(inside: str, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(SHORT)
    (tmp_path / "taken").touch()
    with pytest.raises(UsageError, match=r"taken is no folder"):
        read_config(str(tmp_path / "c.yaml"), here="/", output_dir=os.path.join(tmp_path, "taken", inside).rstrip("/"))


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no configuration .*none\.yaml"):
        read_config(str(tmp_path / "none.yaml"), here="/")
    with pytest.raises(UsageError, match="Is a directory"):
        read_config(str(tmp_path), here="/")
    (tmp_path / "c.yaml").write_bytes(b"inputs:\n  a: \xff\n")
    with pytest.raises(BadSnapshotConfig, match="line 2, column 1: it is no text in UTF-8"):
        read_config(str(tmp_path / "c.yaml"), here="/")


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "c.yaml")
    with pytest.raises(UsageError, match="no regular file"):
        read_config(str(tmp_path / "c.yaml"), here="/")
    (tmp_path / "c.yaml").rename(tmp_path / "ids.json")
    with pytest.raises(BadSnapshotConfig, match="cannot be read: It is no regular file"):
        of(with_sets("p: {source: point-table, rois: ids.json}"), tmp_path)


def test_problems_are_told_as_far_as_people_read_them() -> None:
    text = "".join(f"{'k' * 100}{number}: 1\n" for number in range(20_000))
    with pytest.raises(BadSnapshotConfig) as caught:
        parse_config(text)
    assert len(caught.value.problems) == 101
    assert caught.value.problems[-1] == "and 19902 more"
    assert max(map(len, caught.value.problems)) < 200


def test_one_problem_stands_in_the_same_line_and_several_in_their_own() -> None:
    assert BadSnapshotConfig("c.yaml", ("a",)).lines == ("c.yaml cannot be used: a.",)
    assert BadSnapshotConfig("c.yaml", ("a", "b")).what == "c.yaml cannot be used: a; b."
    assert BadSnapshotConfig("c.yaml", ("a", "b")).lines == ("c.yaml cannot be used, for 2 reasons:", "  a.", "  b.")


# ---- ROI sets --------------------------------------------------------------------------------------------------------


def with_sets(sets: str, more: str = "") -> str:
    block = "".join(f"      {line}\n" for line in sets.splitlines())
    return SHORT.replace("outputs: {}\n", f"  rois:\n    roi-sets:\n{block}outputs:\n  flat-connectome: {{}}\n{more}")


@pytest.mark.parametrize(
    ("sets", "problem"),
    [
        ("p: {source: dvid-rois, rois: [A]}", "p.source: dvid-rois needs a DVID server: not supported yet; put the"),
        ("p: {rois: []}", "p.rois: it names no ROIs, and dvid-rois does not tell them"),
        ("p: {source: point-table, rois: {A: 1, B: 1}}", "p.rois: 2 ROIs have the id 1"),
        ("p: {source: point-table, rois: {A: 0}}", "p.rois.A: 0 is not from 1 on"),
        ("p: {source: point-table, rois: [A, A]}", "p.rois: A stands in it twice"),
        (
            "p: {source: point-table, rois: ['<unspecified>']}",
            "p.rois: <unspecified> stands for no ROI, and can be none",
        ),
        ("p: {source: point-table, rois: {A: [B]}}", "p.rois: lists of subROIs belong to the source unions-of-subrois"),
        ("p: {source: point-table, rois: 'a{y}'}", "p.rois: 'a{y}' gives no names: there is no y in it"),
        ("p: {source: point-table, rois: 'ab'}", "p.rois: 'ab' gives all ROIs the same name"),
        ("p: {source: point-table, labelmap: l}", "p.labelmap: it is named exactly when the source is dvid-labelmap"),
        ("p: {source: point-tabel}", "'point-tabel' is none of the words that stand here; the nearest is point-table"),
        ("p: {source: point-table, parent-rois: [A]}", "p.parent-rois: their ROI set is not named: parent-roiset"),
        ("p: {source: point-table, parent-roiset: q}", "p.parent-roiset: q does not stand before this set"),
        ("u: {source: unions-of-subrois, rois: {A: [B]}}", "the ROI set of the subROIs does not stand before this set"),
        ("../p: {source: point-table}", "'../p' becomes the name of a file, and holds a slash or a control character"),
        ("p: {source: point-table, rois: no.json}", "no.json cannot be read: No such file or directory"),
        (
            "p: {source: point-table, rois: [A]}\nq: {source: point-table, rois: [B], rename-rois: {B: A}}",
            "q.rois: A is a ROI of p, too: a ROI belongs to one set",
        ),
        (
            "p: {source: point-table}\nu: {source: unions-of-subrois, union-source-roiset: p, rois: {A: [x], B: [x]}}",
            "u.rois: x is a part of several ROIs: a point lies in one ROI of a set",
        ),
        (
            "p: {source: point-table}\nu: {source: unions-of-subrois, union-source-roiset: q, rois: {A: [x]}}",
            "u.union-source-roiset: q does not stand before this set; there are p",
        ),
        (
            "u: {source: unions-of-subrois, union-source-roiset: u, rois: {A: [x]}}",
            "u.union-source-roiset: u does not stand before this set",
        ),
    ],
)
def test_a_roi_set_that_cannot_be_is_told(sets: str, problem: str, tmp_path: Path) -> None:
    assert problem in "\n".join(told(with_sets(sets), tmp_path))


def test_rois_of_a_file_stand_in_the_completed_configuration(tmp_path: Path) -> None:
    (tmp_path / "ids.json").write_text('{"A": 1, "B": 2}')
    config = of(with_sets("p: {source: point-table, rois: ids.json}"), tmp_path)
    assert config.inputs.rois.roi_sets["p"].rois == {"A": 1, "B": 2}


def test_what_is_wrong_with_a_file_of_rois_is_told(tmp_path: Path) -> None:
    text = with_sets("p: {source: point-table, rois: ids.json}")
    assert told(text, tmp_path, ids_json='{"A": 1, "A": 2}') == ["ids.json: the key A is here twice"]
    assert told(text, tmp_path, ids_json='{"A":\n 1.5}') == ["ids.json: A: 1.5 stands where a whole number is expected"]
    assert told(text, tmp_path, ids_json='{"A":') == ["ids.json, line 1, column 6: it is no JSON: Expecting value"]


@pytest.mark.parametrize(
    ("output", "problem"),
    [
        ("flat-connectome: {roi-set: q}", "there is no ROI set q; there are p"),
        ("flat-connectome: {restrict-connectivity-to-roiset: P}", "there is no ROI set P; there are p"),
        ("neurotransmitters: {export-neurotransmitters: true}", "there is nothing to export: inputs.neurotransmitters"),
        # it is used: flyem-snapshot writes back without export-neurotransmitters, too
        ("neurotransmitters: {dvid: {perform-backport: true}}", "needs a DVID server: not supported yet"),
        ("skeletons: {s: {export-skeletons: true}}", "needs a DVID server: not supported yet"),
        ("meshes: {'a/b': {export-meshes: true}}", "'a/b' becomes the name of a file, and holds a slash"),
        ("neuprint: {export-neuprint-snapshot: true}", "it is missing: neuPrint needs it"),
        ("neuprint: {export-neuprint-snapshot: true, meta: m.yaml}", "m.yaml cannot be read: No such file"),
        ("neuprint: {roi-synapse-properties: {p: {hex1: 'x //'}}}", "'x //' is no formula: it is no expression"),
        ("neuprint: {roi-synapse-properties: {p: {'a b': x}}}", "'a b' is no name of a property"),
        ("neuprint: {roi-synapse-properties: {p: {a: x}, q: {a: x}}}", "a is the property of another ROI set, too"),
        ("neuprint: {element-labels: {mito: ':Mito'}}", "there are no elements mito; there are none"),
        ("neuprint: {indexes: {element-roisets-to-index: [{neuprint-label: ':M'}]}}", "no elements have the label :M"),
        ("connectivity-reports: [{roiset: q}]", "there is no ROI set q; there are p"),
        ("connectivity-reports: [{roiset: p}, {roiset: p}]", "p has reports already: they would be written over"),
        ("connectivity-reports: [{roiset: p, reports: [{}, {}]}]", "2 reports have the name all: give each its own"),
        ("connectivity-reports: [{roiset: p, reports: [{name: a/b}]}]", "'a/b' becomes the name of a file"),
        ("connectivity-reports: [{roiset: p, capture-summary-subsets: {g: [x]}}]", "there is no report x"),
        (
            "connectivity-reports: [{roiset: p, capture-summary-subsets: {p: []}}]",
            "p is the name of the group with every",
        ),
        ("connectivity-reports: [{reports: [{}], roiset: ''}]", "it is missing: reports tell the ROIs of a ROI set"),
        ("connectivity-reports: [{roiset: p, reports: [{name: a  b}, {name: a b}]}]", "2 reports have the name a-b"),
        (
            "connectivity-reports: [{roiset: p, reports: [{}], capture-summary-subsets: {g: [all, all]}}]",
            "all stands in it twice",
        ),
    ],
)
def test_an_output_that_cannot_be_is_told(output: str, problem: str, tmp_path: Path) -> None:
    text = with_sets("p: {source: point-table}").replace("  flat-connectome: {}\n", f"  {output}\n")
    assert problem in "\n".join(told(text, tmp_path))


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("dvid-seg: {server: 'h:8000'}", "needs a DVID server: not supported yet; without it bodies are those of the"),
        ("dvid-seg: {export-mapping: true}", "needs a DVID server: not supported yet"),
        ("elements: {m: {}}", "name either a point-table or dvid-point-annotations, one of them"),
        ("elements: {m: {dvid-point-annotations: {instance: i}}}", "needs a DVID server: not supported yet; name a"),
        ("elements: {m: {point-table: a.txt}}", "ends in none of .feather, .parquet, .csv"),
        ("body-sizes: {load-sizes: true}", "needs a DVID server: not supported yet; name a table as cache-file"),
        ("neurotransmitters: {rescale-coords: [1, 2]}", "a list of 2 stands where 3 are expected"),
        ("neurotransmitters: {restrict-to-roi: {roi: A}}", "its ROI set is not named: roiset"),
    ],
)
def test_an_input_that_cannot_be_is_told(given: str, problem: str, tmp_path: Path) -> None:
    assert problem in "\n".join(told(SHORT.replace("outputs:", f"  {given}\noutputs:"), tmp_path))


def test_what_names_a_roi_set_without_a_column_is_told(tmp_path: Path) -> None:
    text = with_sets("p: {source: point-table}\nq: {source: point-table}")
    text = text.replace("    synapse-partners", "    roi-set-names: [p]\n    synapse-partners")
    problem = "synapses have no column for q: add it to inputs.synapses.roi-set-names"
    restricted = text.replace("flat-connectome: {}", "flat-connectome: {restrict-connectivity-to-roiset: q}")
    assert [one.partition("roiset: ")[2] for one in told(restricted, tmp_path)] == [problem]
    of_elements = "neuprint: {restrict-elements-to-roiset: q, roi-synapse-properties: {q: {hex1: x // 100}}}"
    assert of(text.replace("flat-connectome: {}", of_elements), tmp_path).inputs.synapses.roi_set_names == ("p",)


@pytest.mark.parametrize("names", ["[u]", "[u, p]"])
def test_a_set_that_others_are_made_of_comes_before_them(names: str, tmp_path: Path) -> None:
    sets = "p: {source: point-table}\nu: {source: unions-of-subrois, union-source-roiset: p, rois: {A: [x]}}"
    text = with_sets(sets).replace("    synapse-partners", f"    roi-set-names: {names}\n    synapse-partners")
    assert told(text, tmp_path) == [
        "line 4, column 20: inputs.synapses.roi-set-names: u is made of p, which must stand before it"
    ]
    assert of(text.replace(names, "[p, u]"), tmp_path).inputs.synapses.roi_set_names == ("p", "u")


def test_a_roi_that_its_set_does_not_have_is_told(tmp_path: Path) -> None:
    sets = (
        "p: {source: point-table, rois: [MB(L), MB(R), EB], rename-rois: {EB: EBx, FB: FBx}}\n"
        "u: {source: unions-of-subrois, union-source-roiset: p, rois: {MB: [MB(L), MBR]}}\n"
        "c: {source: point-table, parent-roiset: p, parent-rois: [EB]}"
    )
    known, unknown = "{roiset: p, reports: [{rois: [MB(X)]}, {rois: [EBx]}]}", "{roiset: c, reports: [{rois: [Z]}]}"
    reports = f"  connectivity-reports: [{known}, {unknown}]\n"
    found = [one.partition(": ")[2] for one in told(with_sets(sets, reports), tmp_path)]
    assert found == [
        "inputs.rois.roi-sets.p.rename-rois.FB: p has no ROI FB; the nearest is EB",
        "inputs.rois.roi-sets.u.rois.MB: p has no ROI MBR; the nearest is MB(R)",
        "inputs.rois.roi-sets.c.parent-rois: p has no ROI EB; the nearest is EBx",
        "outputs.connectivity-reports[0].reports[0].rois: p has no ROI MB(X); the nearest is MB(R)",
    ]


def test_keys_for_dvid_are_taken_as_long_as_nothing_uses_them(tmp_path: Path) -> None:
    keys = "dvid-seg: {uuid: ':master', instance: seg}\n  rois: {dvid: {server: 'h:1', uuid: abc}, roi-sets: {}}"
    text = SHORT.replace("outputs: {}", f"  {keys}\noutputs: {{skeletons: {{s: {{dvid: {{server: 'h:1'}}}}}}}}")
    assert of(text, tmp_path).inputs.rois.dvid.uuid == "abc"


def test_annotations_without_a_table_come_from_dvid(tmp_path: Path) -> None:
    text = SHORT.replace("    body-annotations-table: bodies.csv\n", "    point-annotations: [{instance: nuclei}]\n")
    assert [one.partition(": ")[2] for one in told(text, tmp_path)] == [
        "inputs.annotations.body-annotations-table: reading annotations needs a DVID server: not supported yet; name a "
        "table",
        "inputs.annotations.point-annotations[0]: needs a DVID server: not supported yet; put the points into the "
        "table of annotations",
    ]


# ---- places ----------------------------------------------------------------------------------------------------------


def test_inputs_may_lie_anywhere_and_outputs_beside_the_configuration_or_here(tmp_path: Path) -> None:
    folder, here = tmp_path / "configs", tmp_path / "here"
    for place in (folder, here):
        place.mkdir()
    text = SHORT.replace("points.feather", "/disks/7/points.feather")
    path = folder / "c.yaml"

    def output(named: str, *, own: str = "") -> str:
        path.write_text(text.replace("snapshot-tag: v1", f"snapshot-tag: v1\n  output-dir: {named}"))
        return read_config(str(path), here=str(here), output_dir=own).job_settings.output_dir

    assert output("''") == str(here / "v1")
    assert output("out/v1") == str(folder / "out" / "v1")
    assert output(str(here / "x")) == str(here / "x")
    assert output("/anywhere", own="/else/where") == "/else/where"
    (folder / "link").symlink_to("/usr")
    for bad in ("/usr/share/x", "../x", "link/x"):
        with pytest.raises(
            BadSnapshotConfig, match="lies outside of the folder of the configuration: name it yourself"
        ):
            output(bad)
    with pytest.raises(BadSnapshotConfig, match="holds the configuration: give the snapshot a folder of its own"):
        output(".")


@pytest.mark.parametrize("tag", ["../v1", "a/b", ".hidden", "-rf", "' v'", "'a\\nb'", "x" * 200])
def test_a_tag_that_is_no_name_of_a_file_is_refused(tag: str, tmp_path: Path) -> None:
    tag = '"a\\nb"' if tag == "'a\\nb'" else tag
    assert "becomes the name of a file" in told(SHORT.replace("v1", tag), tmp_path)[0]


# ---- the description for neuPrint ------------------------------------------------------------------------------------

META = """\
dataset: synth
primaryRois: [A]
roiHierarchy: {CNS: {A: [A1, A2], B: {B1: null, B2: {}}, C: roiset://p, D: d.json, E: e.yaml}}
"""
EXPORT = "  neuprint: {export-neuprint-snapshot: true, meta: meta/m.yaml}\n"


def meta_of(folder: Path, text: str = META, **files: str) -> Config:
    (folder / "meta").mkdir(exist_ok=True)
    for name, content in {
        "m_yaml": text,
        "d_json": '["D1"]',
        "e_yaml": "E1: {E2: f.json}",
        "f_json": '{"F": null}',
        **files,
    }.items():
        (folder / "meta" / name.replace("_", ".")).write_text(content)
    return of(with_sets("p: {source: point-table}", EXPORT), folder)


def test_a_hierarchy_may_stand_in_files_and_roi_sets(tmp_path: Path) -> None:
    from engram.connectome.config.hierarchy import nest

    meta = meta_of(tmp_path).meta
    assert meta is not None
    assert nest(meta.hierarchy, lambda name: [f"{name}1", f"{name}2"]) == {
        "CNS": {
            "A": {"A1": {}, "A2": {}},
            "B": {"B1": {}, "B2": {}},
            "C": {"p1": {}, "p2": {}},
            "D": {"D1": {}},
            "E": {"E1": {"E2": {"F": {}}}},
        }
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (META.replace("synth", "a:v1"), "m.yaml, line 1, column 10: dataset: 'a:v1' is no name of a dataset"),
        (META.replace("dataset", "datset"), "m.yaml, line 1, column 1: there is no key datset; the nearest is dataset"),
        (META.replace("dataset: synth\n", ""), "m.yaml, line 1, column 1: dataset is missing"),
        (META.replace("roiset://p", "roiset://q"), "roiset://q: there is no ROI set q; there are p"),
        (META.replace("roiset://p", "p"), "the text 'p' stands where the ROIs within are expected"),
        (META.replace("[A]", "[A, A]"), "primaryRois: A stands in it twice"),
        (META.replace("{CNS:", "{X: null, CNS:"), "roiHierarchy: one ROI stands at its top, and all others within it"),
        (META.replace("d.json", "n.json"), "n.json cannot be read: No such file or directory"),
        (META.replace("f.json", "f.json") + "primaryRois: [B]", "the key primaryRois is here twice, first on line 2"),
        (META + "voxelSize: [8, 8, 0]", "voxelSize: a voxel has a size above 0"),
        (META + "neuronColumnsOrdered: [{id: a}, {id: a}]", "neuronColumnsOrdered: a stands in it twice"),
        (META + "neuronColumnsOrdered: [{id: a, choices: always}]", "'always' is none of the words that stand here"),
        (META + "overviewOrder: clusterd", "'clusterd' is none of the words that stand here; the nearest is clustered"),
        (META + "postHPThreshold: 7", "postHPThreshold: 7 is not from 0 to 1"),
    ],
)
def test_a_description_that_cannot_be_is_told(text: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(BadSnapshotConfig) as caught:
        meta_of(tmp_path, text)
    assert problem in "\n".join(caught.value.problems)


def with_view(folder: Path, template: str | None, more: str = "") -> Config:
    meta_of(folder, META + "tag: v2\nuuid: abc")
    if template is not None:
        (folder / "v.json").write_text(template)
    view = f"meta: meta/m.yaml, neuroglancer: {{json-state: v.json{more}}}"
    return of(with_sets("p: {source: point-table}", EXPORT.replace("meta: meta/m.yaml", view)), folder)


def test_words_of_a_view_are_replaced(tmp_path: Path) -> None:
    template = '{"title": "DATASET_AND_TAG", "at": ["DVID_UUID", SIZE], "v": "VERSION_TAG"}'
    replacements = ", replacements: {DATASET_AND_TAG: '', DVID_UUID: '', VERSION_TAG: v9, SIZE: '8'}"
    wanted = with_view(tmp_path, template, replacements).outputs.neuprint.neuroglancer
    text = view_of(wanted.json_state, wanted.replacements, dataset="synth", tag="v2", uuid="abc")
    assert json.loads(text) == {"title": "synth:v2", "at": ["abc", 8], "v": "v9"}


@pytest.mark.parametrize(
    ("template", "more", "problem"),
    [
        (None, "", "v.json cannot be read: No such file or directory"),
        ("{'a': 1}", "", "v.json: it is no JSON when its words are replaced: Expecting property name"),
        ('{"a": "X"}', ", replacements: {X: '\"'}", "v.json: it is no JSON when its words are replaced"),
        ("[" * 100_000, "", "v.json: it is no JSON when its words are replaced"),
        ('"' + "X" * 70_000 + '"', f", replacements: {{X: {'y' * 1000}}}", "replacing X makes more than 64 MiB of it"),
    ],
    ids=range(5),
)
def test_a_view_that_cannot_be_is_told(template: str | None, more: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(BadSnapshotConfig) as caught:
        with_view(tmp_path, template, more)
    assert problem in "\n".join(caught.value.problems)
    assert "outputs.neuprint.neuroglancer.json-state" in caught.value.problems[0]


def test_a_description_may_stand_in_the_configuration_itself(tmp_path: Path) -> None:
    (tmp_path / "d.json").write_text('["D1"]')
    inline = "meta: {dataset: a, primaryRois: [], roiHierarchy: {CNS: d.json}}"
    text = with_sets("p: {source: point-table}", EXPORT.replace("meta: meta/m.yaml", inline))
    meta = of(text, tmp_path).meta
    assert meta is not None
    assert meta.hierarchy == {"CNS": ("D1",)}
    assert told(text.replace("dataset: a", "dataset: 'a b'"), tmp_path) == [
        "line 12, column 62: outputs.neuprint.meta.dataset: 'a b' is no name of a dataset: letters, digits, _ and - "
        "may stand in it"
    ]


def test_files_of_a_hierarchy_that_name_each_other_end(tmp_path: Path) -> None:
    with pytest.raises(BadSnapshotConfig, match="files name each other too often"):
        meta_of(tmp_path, e_yaml="E1: e.yaml")


def test_files_that_name_each_other_many_times_end(tmp_path: Path) -> None:
    many = ", ".join(f"E{number}: e.yaml" for number in range(50))
    with pytest.raises(BadSnapshotConfig, match="more than 500 files are named, or they name each other"):
        meta_of(tmp_path, e_yaml=f"{{{many}}}")


def test_a_description_by_itself_is_read_with_its_defaults() -> None:
    meta = parse_meta("{dataset: a, primaryRois: [], roiHierarchy: {b: null}}")
    assert meta.voxel_size == (8.0, 8.0, 8.0)
    assert [column.id for column in meta.neuron_columns_ordered] == ["bodyId", "type", "status"]
