"""Where procedures are looked for, and how each is called: the user's, the machine's, a dataset's, the built-in ones.

Those that a dataset holds came from anybody: they are named, and run only when the user allowed exactly these.
Source: https://docs.datalad.org/en/stable/generated/man/datalad-run-procedure.html
"""

import hashlib
import os
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from engram.datasets.datalad_settings import DataladSettings
from engram.datasets.dataset import Dataset
from engram.datasets.git.config import GitConfig
from engram.datasets.nesting import installed
from engram.datasets.provenance import procedures as built_in
from engram.datasets.provenance.placeholders import filled
from engram.datasets.provenance.procedures import BUILT_IN, procedure_folders
from engram.model.errors import UsageError
from engram.model.outcome import DatasetOutcome, Status

_PREFIX = "cfg_"
_OF_DATASETS = ".datalad/procedures"
_LONGEST_BYTES = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundProcedure:
    """A procedure, and how it is called."""

    #: Its file's name without ``.py`` or ``.sh``.
    name: str
    #: Absolute.
    path: str
    #: ``python_script``, ``bash_script``, ``executable`` or ``built-in``.
    kind: str
    #: A line with ``{script}``, ``{ds}`` and ``{args}``.
    call_format: str
    #: What it does, if somebody says so.
    help: str = ""
    #: Absolute path of the dataset that holds it; '' for none.
    dataset: str = ""
    #: What trust in it is pinned to.
    digest: str = ""

    def line(self, dataset: Dataset, arguments: Sequence[str]) -> str:
        """What the shell is given, braces doubled, as `run` takes it. Raises `UsageError` for a bad call format."""
        values = {
            "script": shlex.quote(self.path),
            "ds": shlex.quote(dataset.work_tree),
            "args": shlex.join(arguments),
        }
        return filled(self.call_format, values).replace("{", "{{").replace("}", "}}")


def every_procedure(
    dataset: Dataset | None, environment: Mapping[str, str], configuration: tuple[str, ...] = ()
) -> Iterator[FoundProcedure]:
    """All there are, in the order in which they are looked for: of several with one name the first counts."""
    config = GitConfig.read(common_dir=None, git_dir=None, environment=environment, overrides=configuration)
    for folder in procedure_folders(config, environment):
        yield from _in_folder(folder, config)
    if dataset is not None:
        yield from brought_procedures(dataset)
        for one in reversed(installed(dataset)):
            yield from brought_procedures(one)
    for name, recipe in BUILT_IN.items():
        tells = (recipe.files.__doc__ or "").partition("\n")[0]
        yield FoundProcedure(
            name=_PREFIX + name, path=built_in.__file__, kind="built-in", call_format="{ds}", help=tells
        )


def find(name: str, found: Iterator[FoundProcedure]) -> FoundProcedure:
    """The first procedure of a name. Raises `UsageError` when there is none."""
    known = {}
    for one in found:
        if one.name == name:
            return one
        known[one.name] = one
    near = f"{_PREFIX}{name}" if f"{_PREFIX}{name}" in known else ", ".join(sorted(known))
    raise UsageError(
        f"Cannot find procedure with name {name!r}.", f"There is: {near}. See: engram run-procedure --discover"
    )


def brought_procedures(dataset: Dataset) -> Iterator[FoundProcedure]:
    """Those that a dataset holds. Raises `UsageError` when it says that they lie outside of it."""
    settings = DataladSettings(dataset)
    named = settings.get("datalad.locations.dataset-procedures") or _OF_DATASETS
    place = dataset.work_tree
    for part in os.path.normpath(named).split("/"):
        place = os.path.join(place, part)
        if part in ("..", "", ".git") or os.path.islink(place):
            raise UsageError(
                f"{dataset.work_tree} has its procedures in {named}, which leads elsewhere.",
                "Mend datalad.locations.dataset-procedures in .datalad/config.",
            )
    yield from _in_folder(place, settings, dataset.work_tree)


def _in_folder(folder: str, settings: GitConfig | DataladSettings, dataset: str = "") -> Iterator[FoundProcedure]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    for file in names:
        path = os.path.join(folder, file)
        name = file.removesuffix(".py").removesuffix(".sh")
        kind, form = _kind(path)
        form = settings.get(f"datalad.procedures.{name}.call-format") or form
        if kind and form:
            yield FoundProcedure(
                name=name,
                path=path,
                kind=kind,
                call_format=form,
                help=settings.get(f"datalad.procedures.{name}.help") or "",
                dataset=dataset,
                digest=_digest(path, form) if dataset else "",
            )


def _kind(path: str) -> tuple[str, str]:
    """What sort of program it is, and how such are called; '' for what is none."""
    if not os.path.isfile(path):
        return "", ""
    if path.endswith(".sh"):
        return "bash_script", "bash {script} {ds} {args}"
    if path.endswith(".py"):
        return "python_script", f"{shlex.quote(sys.executable)} {{script}} {{ds}} {{args}}"
    return ("executable", "{script} {ds} {args}") if os.access(path, os.X_OK) else ("", "")


def _digest(path: str, call_format: str) -> str:
    """One digest for a procedure's name, its content and how it is called."""
    digest = hashlib.sha256(b"procedure\0")
    for part in (os.path.basename(path), call_format):
        digest.update(part.encode("utf-8", "surrogateescape") + b"\0")
    try:
        with open(path, "rb") as file:
            digest.update(file.read(_LONGEST_BYTES))
            if file.read(1):
                digest.update(os.urandom(16))  # too long to be looked at, so that no trust in it lasts
    except OSError:
        digest.update(os.urandom(16))
    return digest.hexdigest()


def about(found: FoundProcedure, action: str, state: str, dataset: Dataset | None) -> DatasetOutcome:
    """An outcome that tells of a procedure; of one without help where help was asked for, a failure."""
    refds = dataset.work_tree if dataset is not None else ""
    helpless = action == "procedure_help" and not found.help
    return DatasetOutcome(
        action=action,
        item=found.name,
        status=Status.IMPOSSIBLE if helpless else Status.OK,
        path=found.path,
        type="file",
        refds=refds,
        state=state,
        message=f"No help available for {found.name!r}" if helpless else "",
        remedy=f"Look at the program itself: {found.path}" if helpless else "",
        note=found.help if action == "procedure_help" else found.kind + (f" ({state})" * (state != "executable")),
        extra=(
            ("procedure_name", found.name),
            ("procedure_type", found.kind),
            ("procedure_callfmt", found.call_format),
            ("procedure_help", found.help or None),
        ),
    )
