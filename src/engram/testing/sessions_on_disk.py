"""A large folder with the names that neuroscientists give to files: scans, spikes, images, behaviour, analyses.

The names and their proportions are those of real projects; the content is a few bytes each, so that tens of thousands
are written in seconds. About one file in twenty repeats another's content, as real ones do.

Source: https://bids-specification.readthedocs.io (names of MRI files and derivatives);
https://billkarsh.github.io/SpikeGLX/ (file naming); https://github.com/cortex-lab/phy (spike sorting output);
https://int-brain-lab.github.io/ONE/ (ALF names)
"""

from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path, PurePosixPath

_TASKS = ("rest", "nback", "faces")
_SPACES = ("MNI152NLin2009cAsym_res-2", "T1w", "fsaverage5")
_SORTED = (
    "amplitudes channel_map channel_positions pc_features similar_templates spike_clusters spike_templates "
    "spike_times templates whitening_mat whitening_mat_inv"
).split()
_ALF = (
    "spikes.times spikes.clusters spikes.depths clusters.channels clusters.metrics _ibl_trials.choice "
    "_ibl_trials.feedback_times _ibl_wheel.position _ibl_wheel.timestamps licks.times"
).split()
_LARGEST_REPETITION = 20


def neuroscience_files(number: int) -> Iterator[tuple[PurePosixPath, bytes]]:
    """So many relative paths with their content, each path once, in no particular order.

    >>> [str(path) for path, _ in neuroscience_files(3)]
    ['dataset_description.json', 'participants.tsv', 'sub-001/ses-01/anat/sub-001_ses-01_T1w.nii.gz']
    """
    for position, name in enumerate(islice(_names(), number)):
        repeated = position % _LARGEST_REPETITION == 0
        yield PurePosixPath(name), b"shared by many\n" if repeated else f"content of {name}\n".encode()


def write_neuroscience_tree(folder: Path, number: int = 34_000) -> None:
    """Write `neuroscience_files` below a folder."""
    made: set[PurePosixPath] = set()
    for path, content in neuroscience_files(number):
        if path.parent not in made:
            (folder / path.parent).mkdir(parents=True, exist_ok=True)
            made.add(path.parent)
        (folder / path).write_bytes(content)


def _names() -> Iterator[str]:
    yield "dataset_description.json"
    yield "participants.tsv"
    for subject in count(1):
        for session in ("01", "02"):
            yield from _mri(f"sub-{subject:03}", f"ses-{session}")
            yield from _derivatives(f"sub-{subject:03}", f"ses-{session}")
        yield from _electrophysiology(f"M{subject:03}", f"2024-{subject % 12 + 1:02}-{subject % 28 + 1:02}")
        yield from _imaging(f"mouse {subject:03}")
        yield f"code/sub-{subject:03}_glm.py"
        yield f"logs/slurm-{90_000 + subject}.out"


def _mri(subject: str, session: str) -> Iterator[str]:
    stem = f"{subject}/{session}"
    name = f"{subject}_{session}"
    for suffix in ("T1w", "T2w"):
        yield f"{stem}/anat/{name}_{suffix}.nii.gz"
        yield f"{stem}/anat/{name}_{suffix}.json"
    for task in _TASKS:
        for run in ("1", "2"):
            for ending in ("bold.nii.gz", "bold.json", "sbref.nii.gz", "events.tsv", "physio.tsv.gz"):
                yield f"{stem}/func/{name}_task-{task}_run-{run}_{ending}"
    for ending in ("dwi.nii.gz", "dwi.bval", "dwi.bvec", "dwi.json"):
        yield f"{stem}/dwi/{name}_{ending}"
    for direction in ("AP", "PA"):
        yield f"{stem}/fmap/{name}_dir-{direction}_epi.nii.gz"
    yield f"{stem}/{name}_scans.tsv"
    yield f".heudiconv/{subject}/{session}/info/dicominfo_{session}.tsv"


def _derivatives(subject: str, session: str) -> Iterator[str]:
    stem = f"derivatives/fmriprep-23.1.3/{subject}/{session}"
    for task in _TASKS:
        for space in _SPACES:
            name = f"{stem}/func/{subject}_{session}_task-{task}_space-{space}"
            yield f"{name}_desc-preproc_bold.nii.gz"
            yield f"{name}_desc-brain_mask.nii.gz"
            yield f"{name}_desc-confounds_timeseries.tsv"
        yield f"derivatives/fmriprep-23.1.3/{subject}/figures/{subject}_{session}_task-{task}_desc-carpetplot_bold.svg"
    yield f"{stem}/anat/{subject}_{session}_from-T1w_to-MNI152NLin2009cAsym_mode-image_xfm.h5"
    yield f"{stem}/anat/{subject}_{session}_hemi-L_inflated.surf.gii"
    yield f"{stem}/anat/{subject}_{session}_hemi-R_space-fsLR_den-91k_thickness.dscalar.nii"


def _electrophysiology(subject: str, date: str) -> Iterator[str]:
    run = f"ephys/{subject}/{date}/{subject}_{date}_g0"
    for probe in ("imec0", "imec1"):
        folder = f"{run}/{subject}_{date}_g0_{probe}"
        for band in ("ap", "lf"):
            yield f"{folder}/{subject}_{date}_g0_t0.{probe}.{band}.bin"
            yield f"{folder}/{subject}_{date}_g0_t0.{probe}.{band}.meta"
        for name in _SORTED:
            yield f"{folder}/kilosort2.5/{name}.npy"
        for name in ("cluster_KSLabel.tsv", "cluster_group.tsv", "params.py", ".phy/memcache/phycache.pkl"):
            yield f"{folder}/kilosort2.5/{name}"
    for name in _ALF:
        yield f"alf/{subject}/{date}/001/alf/{name}.npy"
    yield f"alf/{subject}/{date}/001/raw_video_data/_iblrig_leftCamera.raw.mp4"
    yield f"alf/{subject}/{date}/001/alf/_ibl_leftCamera.dlc.pqt"


def _imaging(animal: str) -> Iterator[str]:
    for number in range(1, 41):
        yield f"2P imaging/{animal}/TSeries-001/TSeries-001_Cycle00001_Ch2_{number:06}.ome.tif"
    for name in ("F.npy", "Fneu.npy", "iscell.npy", "ops.npy", "spks.npy", "stat.npy", "data.bin"):
        yield f"2P imaging/{animal}/suite2p/plane0/{name}"
    for name in ("Notes (final) v2.docx", "µm per pixel.txt", "~$lock.docx", "Thumbs.db", "behaviour & sync.mat"):
        yield f"2P imaging/{animal}/{name}"
