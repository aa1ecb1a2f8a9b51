"""Made-up connectomes of any size, the same whenever they are made.

A connectome of *n* PSDs has n / 7.5 T-bars, 11 primary ROIs, 16 layers, 3 unions, compartments, a few large bodies and
many small ones: at a million PSDs about 900,000 pairs of 150,000 bodies. (flyem-snapshot was measured with a set of
680,000 pairs of 118,000 bodies, which is less work.)
"""

import json
from pathlib import Path

import duckdb
from pyarrow import feather

PRIMARY = ("AL(L)", "AL(R)", "MB(L)", "MB(R)", "LO(L)", "LO(R)", "ME(L)", "ME(R)", "FB", "EB", "GNG")
_LAYERED = ("LO(L)", "LO(R)", "ME(L)", "ME(R)")
_NAMES = ("acetylcholine", "gaba", "glutamate", "dopamine", "serotonin", "octopamine", "histamine")
_STATUSES = ("Traced", "Roughly traced", "Prelim Roughly traced", "Leaves", "Anchor", "0.5assign", "Orphan", "Glia")

_INPUTS = """\
inputs:
  synapses:
    synapse-points: syn-points.feather
    synapse-partners: syn-partners.feather
    min-confidence: 0.4
    roi-set-names: [primary, subprimary, major]
    compartment-column: compartment
  annotations: {body-annotations-table: body-annotations.feather}
  rois:
    roi-sets:
      primary: {rois: {}, source: point-table}
      subprimary: {rois: {}, source: point-table}
      major:
        source: unions-of-subrois
        union-source-roiset: primary
        rois:
          CentralBrain: ["AL(L)", "AL(R)", "MB(L)", "MB(R)", FB, EB, GNG]
          Optic(L): ["LO(L)", "ME(L)"]
          Optic(R): ["LO(R)", "ME(R)"]
  body-sizes: {load-sizes: true, cache-file: body-sizes.feather}
  neurotransmitters: {synister-feather: tbar-nt.feather, ground-truth: truth.csv, experimental-groundtruth: truth.csv}
"""
_OUTPUTS = """\
outputs:
  neurotransmitters: {export-neurotransmitters: true, roi-sets: [primary]}
  flat-connectome: {export-connectome: true, roi-set: primary}
  neuprint: {export-neuprint-snapshot: true, meta: meta.yaml}
"""
_REPORTS_ALONE = """\
outputs:
  flat-connectome: {export-connectome: false}
"""

#: Those that flyem-snapshot was measured with.
_NINE_REPORTS = """\
  connectivity-reports:
  - roiset: primary
    capture-summary-subsets: {optic: ["LO(L)", "LO(R)", "ME(L)", "ME(R)"]}
    reports:
    - {name: all}
    - {rois: ["AL(L)"]}
    - {rois: ["AL(R)"]}
    - {rois: ["LO(L)"]}
    - {rois: ["LO(R)"]}
    - {rois: ["ME(L)"]}
    - {rois: ["ME(R)"]}
    - {rois: [FB]}
    - {name: mushroom body, rois: ["MB(L)", "MB(R)"]}
"""
_JOB = """\
job-settings: {snapshot-tag: made-v1, output-dir: out}
"""


def make_connectome(folder: Path, psds: int) -> Path:
    """The configuration of a connectome of so many PSDs, made in a folder that is not there yet.

    It asks for everything, nine reports included; beside it lies ``reports.yaml``, which asks for those alone.
    """
    folder.mkdir(parents=True)
    work = duckdb.connect()
    work.execute("CREATE MACRO u(i, salt) AS hash(i, salt) / 18446744073709551616.0")
    work.execute("CREATE MACRO one_of(list, i, salt) AS list[1 + CAST(floor(u(i, salt) * len(list)) AS INTEGER)]")
    work.execute("CREATE MACRO place(n) AS CAST((CAST(n AS UBIGINT) * 6364136223) % 35184372088832 AS BIGINT)")
    _points(work, psds, folder)
    _bodies(work, psds, folder)
    _predictions(work, folder)
    (folder / "config.yaml").write_text(_INPUTS + _OUTPUTS + _NINE_REPORTS + _JOB)
    (folder / "reports.yaml").write_text(_INPUTS + _REPORTS_ALONE + _NINE_REPORTS + _JOB)
    tree = {"CNS": {"CentralBrain": ["AL(L)", "MB(L)"], "Optic(L)": ["LO(L)"]}}
    meta = {"dataset": "made", "postHighAccuracyThreshold": 0.5, "postHPThreshold": 0.7, "primaryRois": PRIMARY}
    (folder / "meta.yaml").write_text(json.dumps({**meta, "roiHierarchy": tree, "uuid": "0", "lastDatabaseEdit": "0"}))
    return folder / "config.yaml"


def _write(work: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    feather.write_feather(work.sql(query).to_arrow_table(), str(path), compression="lz4")


def _points(work: duckdb.DuckDBPyConnection, psds: int, folder: Path) -> None:
    tbars = max(1, int(psds / 7.5))
    bodies = max(20, int(psds * 0.16))
    body = f"10000 + CAST(floor({bodies} * pow(u(i, {{salt}}), {{steep}})) AS BIGINT)"
    pre, post = body.format(salt=1, steep=5.0), body.format(salt=2, steep=3.0)
    roi = f"one_of({list(PRIMARY)!r}, {{}}, 3)"
    work.execute(
        f"""CREATE TABLE made AS
        SELECT i, 'PreSyn' AS kind, {pre} AS body, i AS tbar FROM range({tbars}) AS t(i)
        UNION ALL SELECT {tbars} + i, 'PostSyn', {post}, hash(i, 9) % {tbars} FROM range({psds}) AS t(i)"""
    )
    named = f"if(u(i, 4) < 0.05, '<unspecified>', {roi.format('tbar')})"
    layer = f"if(named IN {_LAYERED!r}, regexp_replace(named, '\\(', '_layer' || (1 + i % 4) || '('), '<unspecified>')"
    compartment = "CASE WHEN u(i, 6) < .4 THEN 'axon' WHEN u(i, 6) < .9 THEN 'dendrite' ELSE 'linker' END"
    work.execute(
        f"""CREATE TABLE point AS
        SELECT CAST((z << 42) | (y << 21) | x AS UBIGINT) AS point_id, CAST(z AS INTEGER) AS z, CAST(y AS INTEGER) AS y,
            CAST(x AS INTEGER) AS x, CAST(kind AS ENUM('PostSyn', 'PreSyn')) AS kind,
            CAST(1 - pow(u(i, 5), 14) AS FLOAT) AS conf, body * 10 AS sv, body,
            CAST(named AS ENUM{("<unspecified>", *PRIMARY)!r}) AS "primary",
            CAST({layer} AS ENUM{("<unspecified>", *_layers())!r}) AS subprimary,
            CAST({compartment} AS ENUM('axon', 'dendrite', 'linker')) AS compartment, i, tbar
        FROM (SELECT *, place(i) % 32768 AS x, (place(i) >> 15) % 32768 AS y, place(i) >> 30 AS z, {named} AS named
            FROM made)"""
    )
    _write(work, "SELECT * EXCLUDE (i, tbar) FROM point ORDER BY hash(point_id)", folder / "syn-points.feather")
    pairs = (
        "SELECT pre.point_id AS pre_id, post.point_id AS post_id"
        " FROM point AS post JOIN point AS pre ON pre.i = post.tbar WHERE post.kind = 'PostSyn'"
        " ORDER BY hash(post.point_id)"
    )
    _write(work, pairs, folder / "syn-partners.feather")


def _layers() -> list[str]:
    return [one.replace("(", f"_layer{number}(") for one in _LAYERED for number in range(1, 5)]


def _bodies(work: duckdb.DuckDBPyConnection, psds: int, folder: Path) -> None:
    work.execute("CREATE TABLE body AS SELECT DISTINCT body FROM point ORDER BY body")
    known = f"body < {10000 + max(200, psds // 100)}"
    kind = "'T' || (body % 400)"
    columns = f"""body, one_of({list(_STATUSES)!r}, body, 1) AS status, if(u(body, 2) < .4, {kind}, NULL) AS type,
        if(u(body, 2) < .4, {kind} || '_L', NULL) AS instance, one_of(['motor', 'sensory', NULL], body, 3) AS class,
        one_of(['ol_intrinsic', NULL], body, 4) AS superclass, 'L' AS soma_side,
        if(u(body, 5) < .3, [body % 1000, body % 999, body % 998], NULL) AS soma_position"""
    _write(work, f"SELECT {columns} FROM body WHERE {known} ORDER BY body", folder / "body-annotations.feather")
    _write(work, "SELECT body, 1000 + hash(body) % 1000000 AS size FROM body", folder / "body-sizes.feather")
    rows = "".join(f"T{number},{_NAMES[number % len(_NAMES)]}\n" for number in range(0, 400, 4))
    (folder / "truth.csv").write_text(f"cell_type,ground_truth\n{rows}")


def _predictions(work: duckdb.DuckDBPyConnection, folder: Path) -> None:
    scores = ", ".join(
        f'CAST(pow(u(i, {salt}), 3) AS FLOAT) AS "nts_8.{one}"' for salt, one in enumerate(_NAMES, start=20)
    )
    query = f"SELECT x, y, z, if(u(i, 30) < .05, 'train', 'test') AS split, {scores} FROM point WHERE kind = 'PreSyn'"
    _write(work, query, folder / "tbar-nt.feather")
