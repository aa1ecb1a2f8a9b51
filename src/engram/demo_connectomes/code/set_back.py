"""Make up an earlier version of the larva: its tables as they may have been before the last proofreading.

python3 set_back.py larva larva-before
"""

import argparse
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import feather

#: The axon of A09a a1r is a fragment of its own, which nobody has joined yet.
NEURON, FRAGMENT = 3074106, 3074107
#: Nobody has recognised this A10a yet, and two neurons have only roughly been traced.
UNKNOWN, ROUGH = 6535161, (3546334, 4778439)
#: Synapses of vdaB a1r onto A09l a1l that have not been annotated yet.
UNSEEN = (10273502, 12468812)


def set_back(points: pa.Table, partners: pa.Table, annotations: pa.Table) -> tuple[pa.Table, pa.Table, pa.Table]:
    """The three tables as they may have been."""
    body_of = dict(zip(points["point_id"].to_pylist(), points["body"].to_pylist(), strict=True))
    pairs = zip(partners["pre_id"].to_pylist(), partners["post_id"].to_pylist(), strict=True)
    partners = partners.filter([(body_of[pre], body_of[post]) != UNSEEN for pre, post in pairs])

    axon = pc.and_(pc.equal(points["body"], NEURON), pc.equal(points["compartment"], "axon"))
    bodies = pc.if_else(axon, FRAGMENT, points["body"])
    points = points.set_column(points.column_names.index("body"), "body", bodies)

    rows = annotations.to_pylist()
    for row in rows:
        if row["body"] == UNKNOWN:
            row.update(status="Anchor", type=None, instance=None)
        elif row["body"] in ROUGH:
            row.update(status="Prelim Roughly traced")
    rows.append({"body": FRAGMENT, "status": "Anchor"})
    return points, partners, pa.Table.from_pylist(rows, schema=annotations.schema)


def main(words: list[str] | None = None) -> None:
    """Write them, and the two files of settings, with v0.9 instead of v1.0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("larva", type=Path)
    parser.add_argument("before", type=Path)
    asked = parser.parse_args(words)
    asked.before.mkdir()
    names = ("syn-points.feather", "syn-partners.feather", "body-annotations.feather")
    tables = [feather.read_table(asked.larva / name) for name in names]
    for name, table in zip(names, set_back(*tables), strict=True):
        feather.write_feather(table, asked.before / name)
    for name in ("larva.yaml", "neuprint-meta.yaml"):
        text = (asked.larva / name).read_text()
        (asked.before / name).write_text(text.replace("v1.0", "v0.9"))


if __name__ == "__main__":
    main()
