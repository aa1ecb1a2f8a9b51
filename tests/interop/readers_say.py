"""What the field's own readers say about files; run by a Python that has them, prints JSON.

``readers_say.py FOLDER`` looks at every file below; at one of `FOLDERS`, by its name, as a whole.
"""

import json
import sys
import warnings
from pathlib import Path

import neo.rawio.spikeglxrawio
import numpy
import pandas
import probeinterface
import tifffile


def spikeglx(path):
    meta = neo.rawio.spikeglxrawio.read_meta_file(path)
    said = {"meta": {name: value for name, value in meta.items() if isinstance(value, str)}}
    for name, look in {"neo": lambda: _stream(path, meta), "probeinterface": lambda: _probe(path)}.items():
        try:
            said[name] = look()
        except Exception as error:  # noqa: BLE001 - what a reader stops at is told, too
            said[name] = {"error": f"{type(error).__name__}: {error}"}
    return said


def _stream(path, meta):
    info = neo.rawio.spikeglxrawio.extract_stream_info(path, meta)
    return {name: value for name, value in info.items() if isinstance(value, str | int | float) or value is None}


def _probe(path):
    probe = probeinterface.read_spikeglx(path)
    return {"serial": str(probe.serial_number), "model": str(probe.model_name), "contacts": probe.get_contact_count()}


def picture(path):
    with tifffile.TiffFile(path) as file:
        frames = file.scanimage_metadata["FrameData"]
        return {
            "scanimage": file.is_scanimage,
            "pages": len(file.pages),
            "shape": list(file.pages[0].shape),
            "rate_hz": frames["SI.hRoiManager.scanFrameRate"],
            "channels": len(frames["SI.hChannels.channelSave"]),
            "description": file.pages[0].description,
        }


def poses(path):
    table = pandas.read_hdf(path, "df_with_missing")
    return {"frames": len(table), "columns": [list(column) for column in table.columns]}


def array(path):
    loaded = numpy.load(path, allow_pickle=True)
    said = {"shape": list(loaded.shape), "dtype": loaded.dtype.str}
    if loaded.shape == () and loaded.dtype == object:
        value = loaded.item()
        said["value"] = {name: text for name, text in value.items() if isinstance(text, str | int | float | bool)}
    return said


def pickled(path):
    return json.loads(json.dumps(pandas.read_pickle(path), default=list))


def open_ephys(path):
    """Streams of a folder that has a record node in it."""
    reader = neo.rawio.OpenEphysBinaryRawIO(str(path))
    reader.parse_header()
    streams = reader.header["signal_streams"]
    return {
        str(stream["name"]): {
            "samples": int(reader.get_signal_size(0, 0, number)),
            "rate_hz": float(reader.get_signal_sampling_rate(number)),
            "channels": int((reader.header["signal_channels"]["stream_id"] == stream["id"]).sum()),
        }
        for number, stream in enumerate(streams)
    }


def neuralynx(path):
    """Of a folder of such files."""
    reader = neo.rawio.NeuralynxRawIO(dirname=str(path))
    reader.parse_header()
    header = next(iter(reader.file_headers.values()))
    return {
        "rate_hz": float(reader.get_signal_sampling_rate(0)),
        "channels": len(reader.header["signal_channels"]),
        "started": header["recording_opened"].isoformat(),
    }


def axona(path):
    """Of a folder that has one recording in it."""
    reader = neo.rawio.AxonaRawIO(str(next(path.rglob("*.set"))))
    reader.parse_header()
    return {
        "rate_hz": float(reader.get_signal_sampling_rate(0)),
        "channels": len(reader.header["signal_channels"]),
        "samples": int(reader.get_signal_size(0, 0, 0)),
        "tetrodes": len(reader.header["spike_channels"]),
        "started": reader.raw_annotations["blocks"][0]["segments"][0]["rec_datetime"].isoformat(),
    }


FOLDERS = {"open_ephys": open_ephys, "neuralynx": neuralynx, "axona": axona}
READERS = {".meta": spikeglx, ".tif": picture, ".h5": poses, ".npy": array, ".pickle": pickled}


def main(folder):
    if folder.name in FOLDERS:
        json.dump(FOLDERS[folder.name](folder), sys.stdout)
        return
    said = {}
    for path in sorted(folder.rglob("*")):
        reader = READERS.get(path.suffix)
        if reader is None or "matmot" in path.name:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                said[path.relative_to(folder).as_posix()] = reader(path)
            except Exception as error:  # noqa: BLE001
                said[path.relative_to(folder).as_posix()] = {"error": f"{type(error).__name__}: {error}"}
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
