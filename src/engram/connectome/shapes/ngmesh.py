"""Meshes: Neuroglancer's format of one resolution, which is kept as it is once it is known to be sound.

Source: https://github.com/google/neuroglancer/blob/master/src/datasource/precomputed/meshes.md (legacy format)
"""

import struct

import pyarrow as pa
from pyarrow import compute

from engram.connectome.shapes import BadShape

_COUNT_BYTES = 4
#: Three coordinates, or three vertices.
_TRIPLE_BYTES = 12
#: What describes a folder of meshes.
INFO = '{"@type": "neuroglancer_legacy_mesh"}\n'


def check_mesh(data: bytes) -> None:
    """Look at a mesh: how many vertices, x y z of each in nanometres, then triangles. Raises `BadShape`."""
    if len(data) < _COUNT_BYTES:
        raise BadShape(f"it has {len(data)} bytes, too few for a count of vertices")
    (vertices,) = struct.unpack_from("<I", data)
    rest_bytes = len(data) - _COUNT_BYTES - vertices * _TRIPLE_BYTES
    if rest_bytes < 0:
        raise BadShape(f"it has {len(data)} bytes, too few for the {vertices} vertices that it counts")
    if rest_bytes % _TRIPLE_BYTES:
        raise BadShape(f"{rest_bytes % _TRIPLE_BYTES} bytes are left over behind its triangles")
    if not vertices or not rest_bytes:
        raise BadShape("it has no triangles")
    buffer = pa.py_buffer(data)
    places = _array(pa.float32(), 3 * vertices, buffer, _COUNT_BYTES)
    if not compute.all(compute.is_finite(places)).as_py():
        raise BadShape("a vertex lies nowhere")
    corners = _array(pa.uint32(), rest_bytes // 4, buffer, _COUNT_BYTES + vertices * _TRIPLE_BYTES)
    if compute.max(corners).as_py() >= vertices:
        raise BadShape(f"a triangle has a corner that is none of its {vertices} vertices")


def _array(kind: pa.DataType, count: int, buffer: pa.Buffer, start_bytes: int) -> pa.Array:
    return pa.Array.from_buffers(kind, count, [None, buffer.slice(start_bytes, 4 * count)])
