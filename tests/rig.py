"""The samples in ``tests/data/rig``, and small files that rigs could have written."""

import pickle
import struct
from collections.abc import Mapping
from pathlib import Path

from engram.testing.recognisers import FakeFolder, folder_on_disk

RIG = Path(__file__).parent / "data" / "rig"
SHARE = RIG / "kavli_share" / "recordings"
ARCHIVE = RIG / "map_archive"
EPHYS = SHARE / "12347" / "2020-01-01_10-00-30"
IMAGING = SHARE / "23457" / "20220419"

SCORER = "DLC_resnet50_mouse_openfieldJun30shuffle1_1030000"
_COLUMNS = [(SCORER, part, axis) for part in ("left_ear", "right_ear", "body") for axis in ("x", "y", "likelihood")]
#: What the worker says of the poses in the samples; a test with the real library holds it against that.
POSES: Mapping[str, object] = {
    "attributes": {},
    "objects": {
        "/df_with_missing": {"attributes": {"non_index_axes": pickle.dumps([(1, _COLUMNS)], 0).decode()}},
        "/df_with_missing/table": {"shape": [50], "attributes": {}},
    },
}


def sample(folder: Path, *, subject: str = "", only: tuple[str, ...] = ()) -> FakeFolder:
    """A folder of the samples, or the part of it whose paths end in *only*."""
    whole = folder_on_disk(str(folder), subject=subject)
    contents = {path: data for path, data in whole.contents.items() if not only or path.endswith(only)}
    answers = {(path, "hdf5_outline"): POSES for path in contents if path.endswith("23456.h5")}
    return FakeFolder(contents, folder.name, subject, modified=whole.modified, answers=answers)


def npy(shape: tuple[int, ...], descr: str = "<i4", data: bytes = b"") -> bytes:
    """A ``.npy`` file."""
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


PHY = {
    "imec0_ks2/params.py": b"dat_path = r'D:/run_g0_tcat.imec0.ap.bin'\nn_channels_dat = 385\ndtype = 'int16'\n"
    b"offset = 0\nsample_rate = 30000.\nhp_filtered = False\n",
    "imec0_ks2/spike_times.npy": npy((3, 1), "<u8", bytes(24)),
    "imec0_ks2/spike_clusters.npy": npy((3,), "<i4", bytes(12)),
    "imec0_ks2/spike_templates.npy": npy((3, 1), "<i4", bytes(12)),
    "imec0_ks2/cluster_group.tsv": b"cluster_id\tgroup\n0\tgood\n1\tmua\n2\tnoise\n3\tgood\n",
    "imec0_ks2/phy.log": b"",
}
TETRODES = {
    "TT1_1.t": b"%%BEGINHEADER\n% Program: MClust\n%%ENDHEADER\n" + bytes(8),
    "TT1_2.t": b"%%BEGINHEADER\n% Program: MClust\n%%ENDHEADER\n" + bytes(8),
    "TT1.clusters": b"MATLAB 5.0 MAT-file",
    "day1.clu.3": b"4\n1\n2\n3\n",
    "day1.fet.3": b"12\n",
    "day1_2.cut": b"n_clusters: 5\nn_channels: 4\nn_params: 2\n\nExact_cut_for: day1    spikes: 10\n"
    b" 0 1 0 2 3 4 0 0 0 1\n",
}
