"""Neo4j will take the files that are built."""

from pathlib import Path

from engram.connectome.neo4j.checking import check_import
from engram.connectome.neo4j.sources import sources_of


def test_the_files_that_are_built_can_be_imported(ours: Path, golden: Path) -> None:
    folder, theirs = str(ours / "neuprint"), str(golden / "expected" / "neuprint")
    checked, reference = check_import(sources_of(folder), folder), check_import(sources_of(theirs), theirs)
    assert checked.problems == []
    assert checked.nodes == reference.nodes
    assert checked.relationships == reference.relationships
