"""Laws of a neuPrint database: what of its nodes and edges follows from others, and from the flat connectome."""

from collections.abc import Iterator

from engram.connectome.engine import Work
from engram.connectome.proving.database import TOTALS, digest_of
from engram.connectome.proving.laws import Law, Never, Same, unique
from engram.connectome.proving.scope import BODIES, MAP_OF, entries_of, has_all_roisets, is_whole, thresholds
from engram.connectome.proving.seen import Seen
from engram.connectome.sql import UNSPECIFIED, name, selected, text

_LABELS = "Segment;.+_Segment(?:;Neuron;.+_Neuron)?"


def neuprint_laws(work: Work, seen: Seen) -> Iterator[Law]:
    """The laws of those tables that are there."""
    if seen.has("neuron"):
        yield from _neurons(seen)
    if seen.has("connects"):
        yield from _connections(work, seen)
    if seen.has("edge", "synapse"):
        yield from _edges(seen)
    if seen.has("neuron", "synapse") and not _inside(seen):
        yield _counts(seen)
    yield from _sets(seen)


def _inside(seen: Seen) -> str:
    return seen.made.connectivity_restriction


def _neurons(seen: Seen) -> Iterator[Law]:
    path = seen.paths["neuron"]
    odd = {
        "nodes have another bodyId than their id": "CAST(body AS VARCHAR) IS DISTINCT FROM id",
        "bodies have another upstream than post": "upstream <> post",
        "bodies have another synweight than upstream and downstream together": "synweight <> upstream + downstream",
        "bodies have totals that are missing or negative": " OR ".join(
            f"coalesce({one}, -1) < 0" for one in TOTALS[:5]
        ),
        "bodies have labels that are none of a body": f"NOT regexp_full_match(label, {text(_LABELS)})",
    }
    for what, condition in odd.items():
        shown = "id, label" if "label" in what else "id, post, upstream, downstream, synweight, info"
        yield Never(path=path, what=what, query=f"SELECT {shown} FROM neuron WHERE {condition}")
    keys = "SELECT id, flags, info, json_keys(TRY_CAST(info AS JSON)) AS rois FROM neuron"
    yield Never(
        path=path,
        what="bodies have true for other ROIs than their roiInfo has, or a roiInfo that is no JSON",
        query=f"SELECT * FROM ({keys}) WHERE coalesce(len(list_intersect(flags, rois)) <> len(rois), true)",
    )
    if seen.has("neuron_table"):
        head, kinds = ":ID(Body-ID)", seen.columns["neuron_table"]
        known = {one: kind for one, kind in kinds.items() if one != "roiset_hash"}
        digest = digest_of(known, frozenset(known), as_text=False)
        yield Same(
            path=path,
            what="nodes",
            other=seen.paths["neuron_table"],
            here="SELECT id AS body, digest FROM neuron",
            there=f"SELECT CAST({name(head)} AS VARCHAR) AS body, {digest} AS digest FROM neuron_table",
        )
    if seen.has("body_elements"):
        columns = [one for one in TOTALS if seen.has_column("body_elements", one)]
        listed = ", ".join(f"CAST({name(one)} AS BIGINT) AS {name(one)}" for one in columns)
        some = " + ".join(map(name, columns))
        yield Same(
            path=seen.paths["body_elements"],
            what="bodies",
            other=f"their nodes in {path}",
            here=f"SELECT CAST(body AS VARCHAR) AS body, {listed} FROM body_elements WHERE {some} > 0",
            there=f"SELECT id AS body, {listed} FROM neuron WHERE {some} > 0",
        )
    if seen.has("roi_elements"):
        yield _roi_info(seen)


def _roi_info(seen: Seen) -> Same:
    columns = [one for one in TOTALS if seen.has_column("roi_elements", one)]
    here = ", ".join(f"CAST({name(one)} AS BIGINT) AS {name(one)}" for one in columns)
    there = ", ".join(f"coalesce(pair.value[{text(one)}], 0) AS {name(one)}" for one in columns)
    some = " + ".join(map(name, columns))
    pairs = f"SELECT id AS body, {entries_of('info', columns)} AS pair FROM neuron"
    return Same(
        path=seen.paths["roi_elements"],
        what="totals of a body in a ROI",
        other=f"the roiInfo of its node in {seen.paths['neuron']}",
        here=f"SELECT CAST(body AS VARCHAR) AS body, roi, {here} FROM roi_elements"
        f" WHERE roi <> {text(UNSPECIFIED)} AND {some} > 0",
        there=f"SELECT * FROM (SELECT body, pair.key AS roi, {there} FROM ({pairs})) WHERE {some} > 0",
    )


def _connections(work: Work, seen: Seen) -> Iterator[Law]:
    path = seen.paths["connects"]
    yield unique(path, "connects", '"start", "end"', "pairs of bodies stand in several rows")
    whole, enough, high = (f"TRY_CAST({one} AS BIGINT)" for one in ("weightHR", "weight", "weightHP"))
    least, most = thresholds(work)
    ordered = f"{enough} > {whole} OR {enough} < 0 OR {whole} < 1" + (f" OR {high} > {enough}" if most >= least else "")
    shown = 'SELECT "start", "end", weightHR, weight, weightHP, roiInfo FROM connects'
    yield Never(path=path, what="connections have weights that contradict each other", query=f"{shown} WHERE {ordered}")
    if not is_whole(seen) or not has_all_roisets(seen):
        info = MAP_OF.format("roiInfo")
        more = f"list_filter(map_values({info}), lambda one: coalesce(one['post'], 0) > {enough})"
        wrong = f"{info} IS NULL OR len({more}) > 0"
        yield Never(
            path=path,
            what="connections have more synapses in a ROI than in all, or a roiInfo that is no JSON of numbers",
            query=f"{shown} WHERE {wrong}",
        )
    if seen.has("connection_table"):
        kinds = seen.columns["connection_table"]
        digest = digest_of(kinds, frozenset(kinds), as_text=False)
        start, end = (
            f"CAST({name(f':{side}_ID(Body-ID)')} AS VARCHAR) AS {name(side.lower())}" for side in ("START", "END")
        )
        yield Same(
            path=path,
            what="edges",
            other=seen.paths["connection_table"],
            here='SELECT "start", "end", digest FROM connects',
            there=f"SELECT {start}, {end}, {digest} AS digest FROM connection_table",
        )
    if seen.has("neuron") and not _inside(seen):
        yield Same(
            path=seen.paths["neuron"],
            what="values of downstream",
            other=f"the weights in {path}",
            here="SELECT id AS body, downstream FROM neuron WHERE downstream > 0",
            there=f'SELECT "start" AS body, CAST(sum({enough}) AS BIGINT) AS downstream FROM connects'
            f' WHERE {enough} > 0 GROUP BY "start"',
        )


_JOINED = (
    'SELECT edge."start" AS pre_id, edge."end" AS post_id, pre.body AS body_pre, post.body AS body_post,'
    " pre.kind AS kind_pre, post.kind AS kind_post"
    ' FROM edge JOIN synapse AS pre ON pre.id = edge."start" JOIN synapse AS post ON post.id = edge."end"'
)


def _edges(seen: Seen) -> Iterator[Law]:
    path = seen.paths["edge"]
    yield Never(
        path=path,
        what="edges do not lead from a T-bar to a PSD",
        query=f"SELECT * FROM ({_JOINED}) WHERE kind_pre IS DISTINCT FROM 'pre' OR kind_post IS DISTINCT FROM 'post'",
    )
    if seen.has("connects"):
        whole = "TRY_CAST(weightHR AS BIGINT) AS weight"
        yield Same(
            path=seen.paths["connects"],
            what="connections",
            other=f"the synapses in {path}",
            here=f'SELECT "start", "end", {whole} FROM connects',
            there=f"SELECT {BODIES}, count(*) AS weight FROM ({_JOINED}) GROUP BY ALL",
        )
    ends = 'SELECT "start" FROM edge UNION ALL SELECT "end" FROM edge'
    yield Never(
        path=seen.paths["synapse"],
        what=f"points are in no synapse in {path}",
        query=f"SELECT id, kind, body FROM synapse WHERE id NOT IN ({ends})",
    )
    if seen.has("set_synapse"):
        set_of = "concat(body_pre, '_', body_post, '_{0}') AS \"start\", {0}_id AS \"end\""
        there = " UNION ALL ".join(
            f"SELECT DISTINCT {set_of.format(side)} FROM ({_JOINED})" for side in ("pre", "post")
        )
        yield Same(
            path=seen.paths["set_synapse"],
            what="relationships",
            other=f"the synapses in {path}",
            here='SELECT "start", "end" FROM set_synapse',
            there=there,
        )


def _counts(seen: Seen) -> Same:
    counted = {"post": "count(*) FILTER (WHERE kind = 'post')", "pre": "count(*) FILTER (WHERE kind = 'pre')"}
    return Same(
        path=seen.paths["neuron"],
        what="bodies with synapses",
        other=f"the points in {seen.paths['synapse']}",
        here="SELECT id AS body, post, pre FROM neuron WHERE post + pre > 0",
        there=f"SELECT CAST(body AS VARCHAR) AS body, {selected(counted)} FROM synapse GROUP BY body",
    )


def _sets(seen: Seen) -> Iterator[Same]:
    if not seen.has("connects"):
        return
    pairs, sides = 'SELECT "start" AS pre, "end" AS post FROM connects', "(SELECT unnest(['pre', 'post']) AS side)"
    either = "concat(pre, '_', post, '_', side)"
    wanted = {
        "sets": ("id, type", f"{either} AS id, side AS type", sides),
        "neuron_set": ('"start", "end"', f'if(side = \'pre\', pre, post) AS "start", {either} AS "end"', sides),
        "set_set": (
            '"start", "end"',
            "concat(pre, '_', post, '_pre') AS \"start\", concat(pre, '_', post, '_post') AS \"end\"",
            "(SELECT 1)",
        ),
    }
    for table, (here, there, more) in wanted.items():
        if seen.has(table):
            yield Same(
                path=seen.paths[table],
                what="sets" if table == "sets" else "relationships",
                other=f"the pairs of bodies in {seen.paths['connects']}",
                here=f"SELECT {here} FROM {table}",
                there=f"SELECT {there} FROM ({pairs}), {more}",
            )
