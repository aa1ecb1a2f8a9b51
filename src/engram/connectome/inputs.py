"""The inputs of a snapshot in the work file, checked first: points, partners, ROIs, annotations, sizes, predictions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from engram.connectome.annotations import Annotations, Changes, load_annotations
from engram.connectome.checking import (
    ROUNDED,
    Facts,
    check_bodies,
    check_columns,
    check_kinds,
    check_partners,
    check_points,
    check_unique,
    size_column,
    status_column,
)
from engram.connectome.config.inputs import SYNDIR, Inputs
from engram.connectome.config.inputs import RoiSet as WantedSet
from engram.connectome.elements import Elements, Given, check_elements, load_elements
from engram.connectome.engine import Work
from engram.connectome.expressions import read_template
from engram.connectome.neurotransmitters.bodies import Confusion, Limits, Truths, make_body_nt
from engram.connectome.neurotransmitters.predictions import Predictions, load_predictions, name_in, within_roi
from engram.connectome.points import (
    IN_A_LINK,
    BodyTypes,
    Rules,
    id_of,
    make_candidates,
    make_links,
    make_partners,
    narrowest,
)
from engram.connectome.reading import Source, open_table, read_once, told
from engram.connectome.rois import Lookup, RoiProblem, Wanted, in_two_sets, look_up, make_points
from engram.connectome.sql import name
from engram.connectome.synapses import Synapses
from engram.model.errors import BadTables

_TEXT = ("VARCHAR",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The tables of a snapshot, open and sound; ``None`` for those that it has not."""

    points: Source
    partners: Source
    annotations: Source | None
    sizes: Source | None
    predictions: Source | None
    truths: Truths
    elements: tuple[Given, ...]
    facts: Facts
    rules: Rules
    #: What people should know of them, one sentence each, after the name of the table.
    findings: list[tuple[str, str]] = field(default_factory=list)


def rules_of(inputs: Inputs) -> Rules:
    """Which synapses a configuration wants."""
    given = inputs.synapses
    return Rules(
        min_confidence=given.min_confidence,
        zone=given.zone,
        permit_body_0=given.permit_body_0,
        compartment=given.compartment_column,
        roi_columns=tuple(inputs.rois.roi_sets),
    )


def files_of(inputs: Inputs) -> dict[str, str]:
    """The path of each table that a configuration names, by what it is."""
    given, nt = inputs.synapses, inputs.neurotransmitters
    found = {
        "points table": given.synapse_points.replace(SYNDIR, given.syndir),
        "partners table": given.synapse_partners.replace(SYNDIR, given.syndir),
        "annotations table": inputs.annotations.body_annotations_table,
        "sizes table": inputs.body_sizes.cache_file if inputs.body_sizes.load_sizes else "",
        "predictions table": nt.synister_feather,
        "ground truth table": nt.ground_truth if nt.synister_feather else "",
        "experiments table": nt.experimental_groundtruth if nt.synister_feather else "",
    }
    for one, table in inputs.elements.tables.items():
        found |= {f"elements {one} table": table.point_table, f"distances {one} table": table.distance_table}
    return {what: path for what, path in found.items() if path}


def open_sources(work: Work, inputs: Inputs) -> Sources:
    """Open every table, and look at it. Raises `BadTables` with all that is wrong, `Unreadable`, `Malformed`."""
    named = {what.removesuffix(" table"): path for what, path in files_of(inputs).items()}
    tables = {what: open_table(work, f"given {what}", path) for what, path in named.items()}
    rules = rules_of(inputs)
    problems, facts = check_points(work, tables["points"], rules)
    problems += check_partners(work, tables["partners"])
    if "annotations" in tables:
        problems += check_bodies(work, tables["annotations"], status_column())
        problems += check_kinds(tables["annotations"], but=("body", "status"))
    if "sizes" in tables:
        problems += check_bodies(work, tables["sizes"], size_column())
    problems += _problems_of_predictions(tables, inputs)
    elements = tuple(
        Given(name=one, wanted=table, points=tables[f"elements {one}"], distances=tables.get(f"distances {one}"))
        for one, table in inputs.elements.tables.items()
    )
    for one in elements:
        problems += check_elements(work, one)
    if problems:
        raise BadTables(tuple(problems))
    nt = inputs.neurotransmitters
    truths = Truths(
        ground_truth=tables.get("ground truth"),
        experiments=tables.get("experiments"),
        training=nt.training_set_split_indicators,
        overrides=nt.override_celltype_before_consensus,
    )
    sources = Sources(
        points=tables["points"],
        partners=tables["partners"],
        annotations=tables.get("annotations"),
        sizes=tables.get("sizes"),
        predictions=tables.get("predictions"),
        truths=truths,
        elements=elements,
        facts=facts,
        rules=rules,
    )
    sources.findings.extend((_file(sources.points), one) for one in _told_of_points(facts))
    return sources


def _told_of_points(facts: Facts) -> Iterator[str]:
    if facts.without_confidence:
        yield f"{facts.without_confidence} points without a confidence count as below every threshold"
    if facts.infinite:
        yield f"{facts.infinite} points of an infinite confidence count as below every threshold"
    if facts.fakes:
        yield f"{facts.fakes} points of the kind 'Fake' are left out"
    if facts.displaced:
        told_of = f"x, y, z of {facts.displaced} points are not what their point_id says; one of them:"
        yield f"{told_of} {facts.one_displaced}"
    if facts.between:
        yield f"x, y, z of {facts.between} points {ROUNDED}; one of them: {facts.one_between}"


def _problems_of_predictions(tables: dict[str, Source], inputs: Inputs) -> Iterator[str]:
    if "predictions" in tables:
        source = tables["predictions"]
        if not any(name_in(column, inputs.neurotransmitters.translate_names) for column in source.columns):
            yield f"{_file(source)}: has no column of predictions (nts_…, nt_…_prob)"
    for what in ("ground truth", "experiments"):
        if what in tables and not {"cell_type", "type", "mcns_type"} & set(tables[what].columns):
            yield f"{_file(tables[what])}: has no column cell_type, type or mcns_type"
    if "ground truth" in tables:
        yield from check_columns(tables["ground truth"], {"ground_truth": _TEXT})


def _file(source: Source) -> str:
    return PurePath(source.path).name


def wanted_sets(inputs: Inputs) -> list[Wanted]:
    """The ROI sets that synapses get columns of, in the order of the configuration."""
    sets = every_set(inputs)
    return [sets[roiset] for roiset in inputs.synapses.roi_set_names or ()]


def every_set(inputs: Inputs) -> dict[str, Wanted]:
    """All ROI sets of the configuration, by name."""
    return {roiset: _wanted(roiset, given) for roiset, given in inputs.rois.roi_sets.items()}


def _wanted(roiset: str, given: WantedSet) -> Wanted:
    is_union = given.source == "unions-of-subrois"
    rois = given.rois
    ids: dict[str, int] = {}
    if not is_union and not isinstance(rois, str):
        listed = rois.items() if hasattr(rois, "items") else ((roi, number) for number, roi in enumerate(rois, start=1))
        ids = {roi: label for roi, label in listed if isinstance(label, int)}
    return Wanted(
        name=roiset,
        source=given.source,
        ids=ids,
        formula=read_template(rois) if isinstance(rois, str) and rois else None,
        of=given.union_source_roiset,
        unions={roi: parts for roi, parts in rois.items() if not isinstance(parts, int)}
        if hasattr(rois, "items")
        else {},
        renames=given.rename_rois,
        parent=given.parent_roiset,
        parents=given.parent_rois,
    )


def load_points(work: Work, sources: Sources) -> tuple[BodyTypes, tuple[str, ...]]:
    """Make the tables ``kept`` and ``link``: points and partner rows that stay. Raises `BadTables`."""
    types = BodyTypes(body=narrowest(sources.facts.largest_body), sv=narrowest(sources.facts.largest_sv))
    with told(sources.points.path):
        columns = make_candidates(work, sources.points, sources.rules, types)
    if problems := tuple(check_unique(work, "candidate", "point_id", sources.points.path)):
        raise BadTables(problems)
    with told(sources.partners.path):
        make_links(work, sources.partners, sources.rules)
        ((turned, one),) = work.rows("SELECT count(*), min(pre_id) FROM link WHERE is_turned")
    if turned:
        whence = f"is not that of a PreSyn, or post_id not that of a PostSyn, in {turned} rows; one of them: {one}"
        raise BadTables((f"{_file(sources.partners)}, column pre_id: {whence}",))
    sources.findings.extend(_without_points(work, sources))
    work.make("kept", f"SELECT * FROM candidate WHERE {IN_A_LINK}")
    lone = work.count("SELECT (SELECT count(*) FROM candidate) - (SELECT count(*) FROM kept)")
    if lone:
        told_of = f"{lone} points are left out: none of their partners stays"
        sources.findings.append((_file(sources.points), told_of))
    work.run("DROP TABLE candidate")
    return types, columns


def _without_points(work: Work, sources: Sources) -> Iterator[tuple[str, str]]:
    """What is to be told of partner rows with ends that the table of points has not.

    Rows of points that are there, and do not stay, are not counted: what the configuration leaves out it leaves out.
    """
    partners = name(sources.partners.view)
    with told(sources.partners.path):
        if work.count(f"SELECT count(*) FROM {partners}") == work.count("SELECT count(*) FROM link"):
            return
    with told(sources.points.path), read_once(work, sources.points):
        work.pass_on("given id", f"SELECT {id_of(sources.points)} AS point_id FROM {name(sources.points.view)}")
    ends = [f"CAST({end} AS UBIGINT)" for end in ("pre_id", "post_id")]
    lost = " OR ".join(f'{end} NOT IN (FROM "given id")' for end in ends)
    is_real = f"{ends[0]} <> 0 AND {ends[1]} <> 0" if sources.facts.fakes else "true"
    with told(sources.partners.path), read_once(work, sources.partners):
        ((count, one),) = work.rows(
            f"SELECT count(*), min([{', '.join(ends)}]) FROM {partners} WHERE ({lost}) AND {is_real}"
        )
    work.run('DROP TABLE "given id"')
    if count:
        told_of = f"{count} partner rows are left out: the table of points lacks an end of theirs"
        yield _file(sources.partners), f"{told_of}; one of them: {one[0]} to {one[1]}"


def load_rois(work: Work, sources: Sources, wanted: Sequence[Wanted], columns: Sequence[str]) -> dict[str, Lookup]:
    """Make the table ``point``. Raises `BadTables`."""
    lookups: dict[str, Lookup] = {}
    problems = []
    for one in wanted:
        try:
            lookups[one.name] = look_up(work, one, sources.points, lookups)
        except RoiProblem as problem:
            problems.append(f"ROI set {one.name}: {problem}")
    problems += in_two_sets(lookups)
    if problems:
        raise BadTables(tuple(problems))
    make_points(work, columns, tuple(lookups.values()))
    work.run("DROP TABLE kept")
    return lookups


def load_bodies(work: Work, sources: Sources, inputs: Inputs, properties: Mapping[str, str]) -> Annotations:
    """Make the tables of annotations, and that of sizes; *properties*: neuPrint's property by column, '' for none."""
    given = inputs.annotations
    changes = Changes(
        replacements=[(one.source_column, one.target_column, one.replacements) for one in given.replace_values],
        renames=given.rename_annotation_columns,
        properties=properties,
    )
    annotations = load_annotations(work, sources.annotations, changes)
    if sources.annotations and not annotations.order:
        told_of = "the order of status is not known: tables of significant and traced bodies are left out"
        sources.findings.append((_file(sources.annotations), told_of))
    if sources.sizes:
        with told(sources.sizes.path):
            work.make("body size", 'SELECT body, CAST(size AS BIGINT) AS size FROM "given sizes"')
    return annotations


def load_partners(
    work: Work, sources: Sources, types: BodyTypes, lookups: dict[str, Lookup], annotations: Annotations
) -> Synapses:
    """Make the table ``partner``."""
    make_partners(work, tuple(lookups), compartment=sources.rules.compartment)
    work.run("DROP TABLE link")
    if found := _repeated(work):
        sources.findings.append((_file(sources.partners), found))
    rois = {roiset: lookup.rois for roiset, lookup in lookups.items()}
    return Synapses(body=types.body, compartment=sources.rules.compartment, rois=rois, annotations=annotations)


def _repeated(work: Work) -> str:
    """What is told of partner rows that stand there more than once; '' for none. They are neighbours in their table."""
    before = "lag(pre_id) OVER () AS pre_before, lag(post_id) OVER () AS post_before"
    ((count, pre, post),) = work.rows(
        "SELECT count(*), arg_min(pre_id, rowid), arg_min(post_id, rowid) FROM"
        f" (SELECT pre_id, post_id, rowid, {before} FROM partner)"
        " WHERE pre_id = pre_before AND post_id = post_before"
    )
    told_of = f"{count} partner rows repeat another one, and count as often as they stand there"
    return f"{told_of}; one of them: {pre} to {post}" if count else ""


def load_tables_of_elements(
    work: Work, sources: Sources, inputs: Inputs, lookups: Mapping[str, Lookup]
) -> list[Elements]:
    """Make the tables of elements, and ``element body``. Raises `BadTables`."""
    rois = {roiset: lookup.rois for roiset, lookup in lookups.items()}
    elements, findings = load_elements(work, sources.elements, every_set(inputs), rois)
    sources.findings.extend(findings)
    return elements


def load_neurotransmitters(
    work: Work, sources: Sources, inputs: Inputs, *, typed: bool
) -> tuple[Predictions, Confusion | None]:
    """Make the tables ``tbar nt`` and ``body nt``."""
    assert sources.predictions is not None
    given = inputs.neurotransmitters
    scale = given.rescale_coords if isinstance(given.rescale_coords, tuple) else (given.rescale_coords,) * 3
    restriction = within_roi(given.restrict_to_roi.roiset, given.restrict_to_roi.roi)
    with told(sources.predictions.path):
        predictions = load_predictions(
            work, sources.predictions, rescale=scale, translations=given.translate_names, within=restriction
        )
    if problems := tuple(check_unique(work, "tbar nt", "point_id", sources.predictions.path)):
        raise BadTables(problems)
    limits = Limits(
        body_confidence=given.min_body_confidence,
        body_tbars=given.min_body_presyn,
        type_confidence=given.min_celltype_confidence,
        type_tbars=given.min_celltype_presyn,
    )
    confusion = make_body_nt(
        work, predictions, limits, sources.truths, typed=typed, means=given.export_mean_tbar_scores
    )
    return predictions, confusion
