"""Skeletons and meshes: exact bytes, and files that lie."""

import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.connectome.shapes import BadShape
from engram.connectome.shapes.ngmesh import check_mesh
from engram.connectome.shapes.swc import precomputed

SWC = b"# made up\n1 1 10 20 30 1.5 -1\n2 3 11 20 30 1 1\n\n 7 3 12.5 20 30 1 1\n9 0 0 0 -1 1 -1\n"


def read_precomputed(data: bytes) -> tuple[list[tuple[float, ...]], list[tuple[int, ...]]]:
    """Places and edges, by a reader of our own, which takes no byte too many."""
    nodes, edges = struct.unpack_from("<II", data)
    assert len(data) == 8 + 12 * nodes + 8 * edges
    places = list(struct.iter_unpack("<fff", data[8 : 8 + 12 * nodes]))
    pairs = list(struct.iter_unpack("<II", data[8 + 12 * nodes :]))
    assert all(end < nodes for pair in pairs for end in pair)
    return places, pairs


class TestSkeletons:
    def test_nodes_are_nanometres_and_edges_lead_to_parents(self) -> None:
        places, edges = read_precomputed(precomputed(SWC, (8, 8, 40)))
        assert places == [(80, 160, 1200), (88, 160, 1200), (100, 160, 1200), (0, 0, -40)]
        assert edges == [(1, 0), (2, 0)]

    def test_every_byte_is_where_neuroglancer_expects_it(self) -> None:
        made = precomputed(b"5 0 1 2 3 1 6\n6 0 4 5 6 1 -1", (1, 1, 1))
        assert made.hex() == ("02000000010000000000803f0000004000004040000080400000a0400000c0400000000001000000")

    @pytest.mark.parametrize(
        ("swc", "reason"),
        [
            (b"", "it has no nodes"),
            (b"# nothing\n", "it has no nodes"),
            (b"1 1 1 1 1 1", "line 1 has 6 values, not 7"),
            (SWC[:-4], "line 6 has 6 values, not 7"),
            (b"1 1 1 1 1 1 2\n2 1 1 1 1 1 1\n", "the parents of node 1 lead back to it"),
            (b"1 1 1 1 1 1 1\n", "the parents of node 1 lead back to it"),
            (b"1 1 1 1 1 1 -1\n3 1 1 1 1 1 4\n4 1 1 1 1 1 5\n5 1 1 1 1 1 3\n", "the parents of node 3 lead back"),
            (b"1 1 1 1 1 1 99\n", "node 1 has a parent that is not there"),
            (b"1 1 1 1 1 1 -1\n1 1 1 1 1 1 -1\n", "two nodes have one id"),
            (b"1 1 nan 1 1 1 -1\n", "line 1 has a place that is nowhere"),
            (b"1 1 inf 1 1 1 -1\n", "line 1 has a place that is nowhere"),
            (b"1 1 1e39 1 1 1 -1\n", "a node lies farther than Neuroglancer can say"),
            (b"1 1 1e400 1 1 1 -1\n", "line 1 has a place that is nowhere"),
            (b"1 1 1e38 1 1 1 -1\n", "a node lies farther than Neuroglancer can say"),
            (b"1 1 x 1 1 1 -1\n", "line 1 has no number for a place"),
            (b"1 1 1_0 1 1 1 -1\n", "line 1 has no number for a place"),
            (b"9223372036854775808 1 1 1 1 1 -1\n", "line 1 has an id that is too large"),
            (b"1 1 1 1 1 1 -99999999999999999999\n", "line 1 has an id that is too large"),
            (b"9" * 5000 + b" 1 1 1 1 1 -1\n", "line 1 has no whole number for an id"),
            (b"1.0 1 1 1 1 1 -1\n", "line 1 has no whole number for an id"),
            (b"-5 1 1 1 1 1 -1\n", "line 1 has an id below 0"),
            (b"\xff\xfe\x00garbage", "line 1 has 1 values, not 7"),
        ],
    )
    def test_what_is_no_skeleton_is_refused(self, swc: bytes, reason: str) -> None:
        with pytest.raises(BadShape) as refusal:
            precomputed(swc, (8, 8, 8))
        assert reason in str(refusal.value)

    def test_ids_may_be_as_large_as_64_bits_allow(self) -> None:
        places, edges = read_precomputed(precomputed(b"9223372036854775807 0 1 2 3 1 -1\n", (1, 1, 1)))
        assert (len(places), edges) == (1, [])

    @given(st.lists(st.integers(-1, 30), min_size=1, max_size=30))
    def test_any_forest_is_taken_and_anything_else_refused(self, parents: list[int]) -> None:
        lines = [f"{node} 0 {node} 0 0 1 {parent}" for node, parent in enumerate(parents)]
        random.Random(0).shuffle(lines)
        try:
            _, edges = read_precomputed(precomputed("\n".join(lines).encode(), (1, 1, 1)))
        except BadShape:
            assert not is_forest(parents)
        else:
            assert is_forest(parents)
            assert len(edges) == sum(parent != -1 for parent in parents)


def is_forest(parents: list[int]) -> bool:
    for node in range(len(parents)):
        steps = 0
        while node != -1:
            if node >= len(parents) or steps > len(parents):
                return False
            node, steps = parents[node], steps + 1
    return True


def mesh(vertices: list[tuple[float, float, float]], triangles: list[tuple[int, int, int]], claimed: int = -1) -> bytes:
    count = len(vertices) if claimed < 0 else claimed
    places = b"".join(struct.pack("<fff", *one) for one in vertices)
    return struct.pack("<I", count) + places + b"".join(struct.pack("<III", *one) for one in triangles)


CORNERS = [(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)]


class TestMeshes:
    def test_a_triangle_is_a_mesh(self) -> None:
        check_mesh(mesh(CORNERS, [(0, 1, 2)]))

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"", "it has 0 bytes, too few for a count of vertices"),
            (mesh(CORNERS, [(0, 1, 2)], claimed=5), "it has 52 bytes, too few for the 5 vertices that it counts"),
            (mesh(CORNERS, [(0, 1, 2)], claimed=4), "it has no triangles"),
            (mesh(CORNERS, [(0, 1, 2)], claimed=(1 << 32) - 1), "too few for the 4294967295 vertices"),
            (mesh(CORNERS, [(0, 1, 2)])[:-1], "11 bytes are left over behind its triangles"),
            (mesh(CORNERS, []), "it has no triangles"),
            (mesh([], [(0, 0, 0)]), "it has no triangles"),
            (mesh(CORNERS, [(0, 1, 3)]), "a triangle has a corner that is none of its 3 vertices"),
            (mesh([*CORNERS, (0.0, float("nan"), 0.0)], [(0, 1, 2)]), "a vertex lies nowhere"),
            (mesh(CORNERS, [(0, 1, 2)], claimed=2), "a triangle has a corner that is none of its 2 vertices"),
        ],
    )
    def test_what_lies_is_refused(self, data: bytes, reason: str) -> None:
        with pytest.raises(BadShape) as refusal:
            check_mesh(data)
        assert reason in str(refusal.value)

    @given(st.binary(max_size=200))
    def test_whatever_it_is_it_is_taken_or_refused(self, data: bytes) -> None:
        try:
            check_mesh(data)
        except BadShape:
            return
        (vertices,) = struct.unpack_from("<I", data)
        assert len(data) >= 4 + 12 * vertices + 12
