"""What bodies and cell types release: the most frequent prediction, how far it can be trusted, what experiments say.

With a table of known cell types it is counted how often a T-bar of each known neurotransmitter is predicted to be of
each. The confidence of a group is the mean, over its T-bars, of how often T-bars of the group's neurotransmitter look
like this one. Means are of counts and of fixed-point numbers: they do not depend on the order of rows.

Source: flyem-snapshot, ``flyem_snapshot/inputs/neurotransmitters.py``
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from engram.connectome.engine import Work
from engram.connectome.neurotransmitters.predictions import Predictions, column_of
from engram.connectome.reading import Source
from engram.connectome.sql import counted, name, names, selected, text

UNCLEAR = "unclear"
#: Names of the column of cell types, and those of a known neurotransmitter.
_CELL_TYPE = ("cell_type", "type", "mcns_type")
_KNOWN = {
    "consensus_nt": ("consensus_nt", "consensusNt", "ground_truth"),
    "nt_reference": ("nt_reference", "ntReference"),
    "other_nt": ("other_nt", "otherNt"),
    "other_nt_reference": ("other_nt_reference", "otherNtReference"),
}
#: One, as a fixed-point number.
_ONE = 1 << 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a prediction must have not to be unclear."""

    body_confidence: float
    body_tbars: int
    type_confidence: float
    type_tbars: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Truths:
    """Tables of known cell types, where there are any."""

    ground_truth: Source | None = None
    experiments: Source | None = None
    #: Values of ``split`` that mark T-bars which the network was trained with.
    training: Sequence[str] = ()
    #: What counts instead of a cell type's prediction in the consensus.
    overrides: Mapping[str, str] | None = None


#: How often T-bars of the first neurotransmitter are predicted to be of the second: a row for each.
Confusion: TypeAlias = Mapping[str, Mapping[str, float]]


def make_body_nt(
    work: Work, predictions: Predictions, limits: Limits, truths: Truths, *, typed: bool, means: bool
) -> Confusion | None:
    """Make the table ``body nt``: a row for each body with a T-bar or a cell type. The confusion, if it can be known.

    Args:
        typed: whether annotations have a column ``type``.
        means: give each body the mean probability of each neurotransmitter, too.
    """
    _make_tbars(work, predictions, typed=typed)
    confusion = _confusion(work, predictions, truths) if truths.ground_truth else None
    for group, by in (("nt body", "body"), ("nt type", "cell_type")):
        _make_group(work, predictions, group, by, confusion, means=means and by == "body")
    own = _judged("own", limits.body_confidence, f"{limits.body_tbars}", confusion)
    alone = f"if(kin.bodies = 1, {limits.body_tbars}, {limits.type_tbars})"
    kin = _judged("kin", limits.type_confidence, alone, confusion)
    columns = {"body": "all_of.body", "cell_type": "all_of.cell_type", "total_nt_predictions": _count("own")}
    if confusion is not None:
        columns["predicted_nt_confidence"] = "own.confidence"
    columns["predicted_nt"] = own
    if confusion is not None:
        columns["ground_truth"] = "truth.ground_truth"
    columns["celltype_total_nt_predictions"] = f"if(all_of.cell_type IS NULL, {_count('own')}, {_count('kin')})"
    columns["celltype_predicted_nt"] = f"if(all_of.cell_type IS NULL, {own}, {kin})"
    if confusion is not None:
        columns["celltype_predicted_nt_confidence"] = "kin.confidence"
    if truths.experiments:
        columns |= _consensus(work, truths.experiments, truths.overrides or {}, columns["celltype_predicted_nt"])
    if means:
        columns |= {column_of(one): f"own.{name(column_of(one))}" for one in predictions.names}
    joins = ['LEFT JOIN "nt body" AS own ON own.body = all_of.body', 'LEFT JOIN "nt type" AS kin USING (cell_type)']
    joins += ['LEFT JOIN "nt truth" AS truth USING (cell_type)'] if confusion is not None else []
    joins += ['LEFT JOIN "nt experiment" AS shown USING (cell_type)'] if truths.experiments else []
    work.make(
        "body nt", f'SELECT {selected(columns)} FROM "nt member" AS all_of {" ".join(joins)} ORDER BY all_of.body'
    )
    return confusion


def _count(group: str) -> str:
    return f"CAST(coalesce({group}.tbars, 0) AS INTEGER)"


def _make_tbars(work: Work, predictions: Predictions, *, typed: bool) -> None:
    """Make the tables ``nt member`` (bodies and their cell types) and ``nt tbar`` (bodies and the best guess)."""
    kind = "CAST(type AS VARCHAR)" if typed else "CAST(NULL AS VARCHAR)"
    work.make(
        "nt member",
        "SELECT body, any_value(cell_type) AS cell_type FROM ("
        "SELECT DISTINCT body, kind FROM point) AS has"
        f" LEFT JOIN (SELECT body, {kind} AS cell_type FROM annotation) AS known USING (body)"
        " GROUP BY body HAVING bool_or(kind = 'PreSyn') OR any_value(cell_type) IS NOT NULL ORDER BY body",
    )
    columns = [f"coalesce({name(column_of(one))}, -1)" for one in predictions.names]
    best = f"greatest({', '.join(columns)})" if len(columns) > 1 else columns[0]
    cases = " ".join(f"WHEN {column} = {best} THEN {number}" for number, column in enumerate(columns))
    guess = f"CASE WHEN {best} >= 0 THEN CASE {cases} END END"
    listed = names((*map(column_of, predictions.names), *(("split",) if predictions.has_split else ())), of="nt")
    work.make(
        "nt tbar",
        f"SELECT point.body, cell_type, {guess} AS guess, {listed} FROM point"
        ' LEFT JOIN "tbar nt" AS nt USING (point_id) JOIN "nt member" AS member ON member.body = point.body'
        " WHERE kind = 'PreSyn'",
    )


def _make_group(
    work: Work, predictions: Predictions, table: str, by: str, confusion: Confusion | None, *, means: bool
) -> None:
    """Make a table of what groups of T-bars are guessed to be: the most frequent one, of equals the first by name."""
    numbers = range(len(predictions.names))
    columns = {"bodies": "count(DISTINCT body)", "tbars": "count(guess)"}
    columns |= {f"is {number}": counted(f"guess = {number}") for number in numbers}
    if means:
        columns |= {column_of(one): _mean(name(column_of(one))) for one in predictions.names}
    groups = f'SELECT {by}, {selected(columns)} FROM "nt tbar" WHERE {by} IS NOT NULL GROUP BY {by}'
    most = f"greatest({', '.join(name(f'is {number}') for number in numbers)})"
    by_name = sorted(numbers, key=lambda number: predictions.names[number])
    cases = " ".join(f"WHEN {name(f'is {number}')} = {most} THEN {number}" for number in by_name)
    guess = f"CASE WHEN tbars > 0 THEN CASE {cases} END END"
    members = '(SELECT cell_type, count(*) AS members FROM "nt member" GROUP BY cell_type)'
    counted_bodies = " REPLACE (members AS bodies)" if by == "cell_type" else ""
    join = f" JOIN {members} USING (cell_type)" if by == "cell_type" else ""
    listed = f"* EXCLUDE (members){counted_bodies}" if by == "cell_type" else "*"
    query = f"SELECT {listed}, {guess} AS guess FROM ({groups}){join}"
    confidence = _confidence(predictions, confusion) if confusion is not None else "CAST(NULL AS DOUBLE)"
    called = f"([{', '.join(map(text, predictions.names))}])[guess + 1]"
    work.make(table, f"SELECT *, {called} AS nt, {confidence} AS confidence FROM ({query})")


def _mean(column: str) -> str:
    return f"CAST(sum(CAST(round({column} * {_ONE}) AS HUGEINT)) AS DOUBLE) / {_ONE} / nullif(count({column}), 0)"


def _confidence(predictions: Predictions, confusion: Confusion) -> str:
    """The mean over the T-bars of a group, which may be none: then nothing speaks for it."""
    cases = []
    for number, one in enumerate(predictions.names):
        looks = " + ".join(
            f"{name(f'is {other}')} * CAST({confusion[one][called]!r} AS DOUBLE)"
            for other, called in enumerate(predictions.names)
        )
        cases.append(f"WHEN {number} THEN ({looks}) / tbars")
    return f"CASE WHEN tbars = 0 THEN CAST(0 AS DOUBLE) ELSE CASE guess {' '.join(cases)} END END"


def _judged(group: str, least_confidence: float, least_tbars: str, confusion: Confusion | None) -> str:
    """The guess of a group, or that it is unclear."""
    enough = [f"coalesce({group}.tbars, 0) >= {least_tbars}", f"{group}.nt IS NOT NULL"]
    enough += [f"{group}.confidence >= {least_confidence!r}"] if confusion is not None else []
    return f"if(coalesce({' AND '.join(enough)}, false), {group}.nt, {text(UNCLEAR)})"


def _cell_type(source: Source) -> str:
    return next(one for one in _CELL_TYPE if one in source.columns)


def _confusion(work: Work, predictions: Predictions, truths: Truths) -> dict[str, dict[str, float]]:
    """How often T-bars of each known neurotransmitter are predicted to be of each, without bodies of the training."""
    source = truths.ground_truth
    assert source is not None
    work.make(
        "nt truth",
        f"SELECT CAST({name(_cell_type(source))} AS VARCHAR) AS cell_type,"
        f" any_value(CAST(ground_truth AS VARCHAR)) AS ground_truth FROM {name(source.view)} GROUP BY ALL",
    )
    trained = ""
    if predictions.has_split and truths.training:
        values = ", ".join(map(text, truths.training))
        trained = f' AND body NOT IN (SELECT body FROM "nt tbar" WHERE CAST(split AS VARCHAR) IN ({values}))'
    found = work.rows(
        'SELECT ground_truth, guess, count(*) FROM "nt tbar" JOIN "nt truth" USING (cell_type)'
        f" WHERE guess IS NOT NULL{trained} GROUP BY ALL"
    )
    counts = {one: dict.fromkeys(predictions.names, 0) for one in predictions.names}
    for truth, guess, count in found:
        if truth in counts:
            counts[truth][predictions.names[guess]] += count
    return {
        truth: {one: count / total if (total := sum(row.values())) else 0.0 for one, count in row.items()}
        for truth, row in counts.items()
    }


def _consensus(work: Work, source: Source, overrides: Mapping[str, str], predicted: str) -> dict[str, str]:
    """What a cell type is taken to release: what experiments say, else its prediction, of which some do not count."""
    given = {
        column: next(
            (f"CAST({name(one)} AS VARCHAR)" for one in words if one in source.columns), "CAST(NULL AS VARCHAR)"
        )
        for column, words in _KNOWN.items()
    }
    firsts = {column: f"any_value({expression})" for column, expression in given.items()}
    work.make(
        "nt experiment",
        f"SELECT CAST({name(_cell_type(source))} AS VARCHAR) AS cell_type, {selected(firsts)}"
        f" FROM {name(source.view)} GROUP BY ALL",
    )
    cases = " ".join(f"WHEN {text(nt)} THEN {text(instead)}" for nt, instead in overrides.items())
    counts = f"CASE {predicted} {cases} ELSE {predicted} END" if cases else predicted
    shown = {column: f"shown.{column}" for column in _KNOWN}
    return shown | {"consensus_nt": f"coalesce(shown.consensus_nt, {counts})"}
