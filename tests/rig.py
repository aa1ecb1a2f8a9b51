"""The samples in ``tests/data/rig``, and small files that rigs could have written."""

import json
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


def open_ephys() -> dict[str, bytes]:
    """A recording of Open Ephys 0.6, binary format: a Neuropixels band and a board, as its manual shows them."""

    def stream(folder: str, name: str, processor: str, rate: float, count: int) -> dict[str, object]:
        channels = [
            {"channel_name": f"CH{number}", "bit_volts": 0.195, "units": "uV", "description": "", "identifier": ""}
            for number in range(1, count + 1)
        ]
        return {
            "folder_name": f"{folder}/",
            "sample_rate": rate,
            "source_processor_name": processor,
            "source_processor_id": 100,
            "stream_name": name,
            "recorded_processor": "Record Node",
            "recorded_processor_id": 101,
            "num_channels": count,
            "channels": channels,
        }

    streams = [
        stream("Neuropix-PXI-100.ProbeA-AP", "ProbeA-AP", "Neuropix-PXI", 30000.0, 4),
        stream("NI-DAQmx-102.PXI-6133", "PXI-6133", "NI-DAQmx", 10000.0, 2),
    ]
    place = "Record Node 101/experiment1/recording1"
    events = {
        "folder_name": "Neuropix-PXI-100.ProbeA-AP/TTL/",
        "channel_name": "ProbeA sync",
        "description": "",
        "identifier": "sync",
        "sample_rate": 30000.0,
        "type": "int16",
        "source_processor": "Neuropix-PXI",
        "stream_name": "ProbeA-AP",
        "initial_state": 0,
    }
    said = {"GUI version": "0.6.4", "continuous": streams, "events": [events], "spikes": []}
    files = {f"{place}/structure.oebin": json.dumps(said, indent=4).encode()}
    for one, count, samples in ((streams[0], 4, 30), (streams[1], 2, 10)):
        below = f"{place}/continuous/{one['folder_name']}"
        files[f"{below}continuous.dat"] = bytes(2 * count * samples)
        files[f"{below}sample_numbers.npy"] = npy((samples,), "<i8", struct.pack(f"<{samples}q", *range(samples)))
        files[f"{below}timestamps.npy"] = npy((samples,), "<f8", bytes(8 * samples))
    ttl = f"{place}/events/{events['folder_name']}"
    files |= {
        f"{ttl}{name}.npy": npy((2,), "<i8", struct.pack("<2q", 3, 9)) for name in ("sample_numbers", "full_words")
    }
    files |= {f"{ttl}states.npy": npy((2,), "<i2", struct.pack("<2h", 1, -1))}
    files |= {f"{ttl}timestamps.npy": npy((2,), "<f8", bytes(16))}
    files[f"{place}/sync_messages.txt"] = (
        b"Software Time (milliseconds since midnight Jan 1st 1970 UTC): 1650365473374\n"
        b"Start Time for Neuropix-PXI (100) - ProbeA-AP @ 30000 Hz: 0\n"
    )
    files["Record Node 101/settings.xml"] = (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<SETTINGS>\n<INFO><VERSION>0.6.4</VERSION></INFO>\n'
        b'<SIGNALCHAIN><PROCESSOR name="Neuropix-PXI" pluginName="Neuropix-PXI" nodeId="100"><EDITOR>'
        b'<NP_PROBE slot="2" port="1" dock="1" probe_serial_number="18194810652" probe_part_number="PRB_1_4_0480_1"/>'
        b"</EDITOR></PROCESSOR></SIGNALCHAIN>\n</SETTINGS>\n"
    )
    return files


def neuralynx(*, records: int = 2) -> dict[str, bytes]:
    """Two channels, a tetrode, events and a position of Cheetah 6, as its manual shows them."""

    def header(kind: str, name: str, size: int, channels: int, first: int = 0) -> bytes:
        lines = [
            "######## Neuralynx Data File Header",
            f"-FileType {kind}",
            "-FileVersion 3.4",
            f"-RecordSize {size}",
            "",
            "-TimeCreated 2018/02/25 10:25:08",
            "-TimeClosed 2018/02/25 10:35:08",
            "",
            '-ApplicationName Cheetah "6.3.0"',
            "-AcquisitionSystem AcqSystem1 ATLAS",
            f"-AcqEntName {name}",
            "-SamplingFrequency 32000",
            "-ADMaxValue 32767",
            "-ADBitVolts " + " ".join(["0.000000030518510385491027"] * channels),
            f"-NumADChannels {channels}",
            "-ADChannel " + " ".join(map(str, range(first, first + channels))),
            "-InputRange " + " ".join(["1000"] * channels),
            "-InputInverted False",
            "",
        ]
        return "\r\n".join(lines).encode("latin-1").ljust(16_384, b"\0")

    record = struct.pack("<QIII", 1_000_000, 0, 32_000, 512) + bytes(1024)
    later = struct.pack("<QIII", 1_016_000, 0, 32_000, 512) + bytes(1024)
    return {
        "CSC1.ncs": header("NCS", "CSC1", 1044, 1) + (record + later)[: 1044 * records],
        "CSC2.ncs": header("NCS", "CSC2", 1044, 1, first=1) + (record + later)[: 1044 * records],
        "TT1.ntt": header("Spike", "TT1", 304, 4) + bytes(304),
        "Events.nev": header("Event", "Events", 184, 0) + bytes(184),
        "VT1.nvt": header("Video", "VT1", 1828, 0),
        "CheetahLogFile.txt": b"",
    }


def axona() -> dict[str, bytes]:
    """Two tetrodes of DacqUSB, with the raw samples of both, as its manual shows them."""
    trial = ["trial_date Tuesday, 14 Dec 2010", "trial_time 10:44:07", "experimenter Ada", "comments ", "duration 600"]
    trial.append("sw_version 1.2.2.1")
    settings = ["num_chans 64", "timebase 96000 hz", "rawRate 48000", "ADC_fullscale_mv 1500", "tracker_version 0"]
    settings += ["samplesPerSpike 50", "pretrigSamps 10", "spikeLockout 40"]
    settings += [f"gain_ch_{number} 1000" for number in range(64)]
    settings += [f"collectMask_{number} {int(number <= 2)}" for number in range(1, 17)]
    spikes = ["num_chans 4", "timebase 96000 hz", "bytes_per_timestamp 4", "samples_per_spike 50"]
    spikes += ["sample_rate 48000 hz", "bytes_per_sample 1", "spike_format t,ch1,t,ch2,t,ch3,t,ch4", "num_spikes 2"]
    head = "\r\n".join([*trial, *spikes, ""]).encode("latin-1")
    unit = head + b"data_start" + b"".join(4 * (struct.pack(">i", 96_000 * second) + bytes(50)) for second in (1, 2))
    return {
        "r2142/day1.set": "\r\n".join([*trial, *settings, ""]).encode("latin-1"),
        "r2142/day1.bin": b"".join(b"ADU2" + struct.pack("<I", number) + bytes(424) for number in range(4)),
        "r2142/day1.1": unit + b"\r\ndata_end\r\n",
        "r2142/day1.2": unit + b"\r\ndata_end\r\n",
        "r2142/day1.pos": b"trial_date",
        "r2142/day1.eeg2": b"trial_date",
    }


AXONA = axona()
BIDS = {
    "dataset_description.json": b'{"Name": "Arena", "BIDSVersion": "1.9.0", "DatasetType": "raw"}',
    "README": b"",
    "participants.tsv": b"participant_id\nsub-01\n",
    "sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz": b"",
    "sub-01/ses-1/func/sub-01_ses-1_task-rest_bold.nii.gz": b"",
    "sub-01/ses-1/func/sub-01_ses-1_task-rest_bold.json": b"{}",
    "other/notes.md": b"",
}
