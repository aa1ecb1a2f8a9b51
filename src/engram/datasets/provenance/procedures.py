"""Procedures: what ``create -c NAME`` does to a new dataset.

Three are built in and leave the files, attributes and messages that DataLad's own of these names leave. A user's own
are programs ``cfg_NAME.py``, ``cfg_NAME.sh`` or ``cfg_NAME`` in his procedure folders, and win over built-in ones.
Those that a dataset brings along are never looked for.

Source: https://docs.datalad.org/en/stable/generated/man/datalad-run-procedure.html
"""

import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from engram import durable
from engram.datasets.datalad_settings import DataladSettings
from engram.datasets.dataset import Dataset, Surroundings, open_dataset
from engram.datasets.git.config import GitConfig
from engram.datasets.provenance.run_outcomes import RunOutcome
from engram.datasets.provenance.run_records import RunRecord
from engram.datasets.saving.save import Saver
from engram.datasets.saving.survey import SaveRequest
from engram.model.errors import EngramError, PeerFailed, UsageError
from engram.model.outcome import Outcome, Status
from engram.model.plan import Plan, PlannedStep

#: Gives what a file of the dataset holds now; nothing for one that is not there.
Read: TypeAlias = Callable[[str], bytes]
#: What files of the dataset are to hold, by path; only those that change.
Files: TypeAlias = Mapping[str, bytes]

TEXT_TO_GIT: Final = "((mimeencoding=binary)and(largerthan=0))"

_CODE_README: Final = b"""\
All custom code goes into this directory. All scripts should be written such
that they can be executed from the root of the dataset, and are only using
relative paths for portability.
"""
_TOP_README: Final = b"""\
# Project <insert name>

## Dataset structure

- All inputs (i.e. building blocks from other sources) are located in
  `inputs/`.
- All custom code is located in `code/`.
"""


def text2git(read: Read) -> Files:
    """Text goes into git, so that one sees in ``git diff`` what changed; everything else goes to the annex."""
    attributes = read(".gitattributes")
    line = f"* annex.largefiles={TEXT_TO_GIT}"
    every = [
        known for known in attributes.decode(errors="replace").splitlines() if known.startswith("* annex.largefiles=")
    ]
    return {} if every[-1:] == [line] else {".gitattributes": _with_line(attributes, line)}


def yoda(read: Read) -> Files:
    """A place for code that goes into git, and a README and a change log to fill in."""
    attributes = read(".gitattributes")
    for name in ("CHANGELOG.md", "README.md"):
        attributes = _with_line(attributes, f"{name} annex.largefiles=nothing")
    return {
        ".gitattributes": attributes,
        "CHANGELOG.md": b"",
        "README.md": _TOP_README,
        "code/.gitattributes": _with_line(read("code/.gitattributes"), "* annex.largefiles=nothing"),
        "code/README.md": _CODE_README,
    }


def noannex(read: Read) -> Files:
    """A mark that keeps everybody from giving the dataset an annex."""
    return {".noannex": read(".noannex")}


def _with_line(text: bytes, line: str) -> bytes:
    if text and not text.endswith(b"\n"):
        text += b"\n"
    return text + line.encode() + b"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What a built-in procedure does."""

    files: Callable[[Read], Files]
    message: str
    #: Whether it refuses to touch files that are not saved.
    wants_clean_files: bool = False
    removes_annex: bool = False


BUILT_IN: Final[Mapping[str, Recipe]] = {
    "noannex": Recipe(
        files=noannex,
        message="Added .noannex to prevent accidental initialization of git-annex",
        removes_annex=True,
    ),
    "text2git": Recipe(files=text2git, message="Instruct annex to add text files to Git"),
    "yoda": Recipe(files=yoda, message="Apply YODA dataset setup", wants_clean_files=True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """A procedure that was found."""

    #: As the user calls it, without ``cfg_``.
    name: str
    #: What it does, if it is built in.
    recipe: Recipe | None = None
    #: The program, if it is the user's own.
    script: str = ""
    #: How the program is called: words in which ``{script}``, ``{ds}`` and ``{args}`` are filled in.
    call: tuple[str, ...] = ()


def find_procedure(name: str, *, environment: Mapping[str, str], configuration: tuple[str, ...]) -> Procedure:
    """The user's own procedure of this name, else the machine's, else the built-in one. Raises `UsageError`.

    Args:
        environment: says where the user's folders are.
        configuration: ``NAME=VALUE`` git settings of this call.
    """
    if not name or "/" in name:
        raise UsageError(
            f"{name!r} is no name of a procedure.",
            f"Built in are {', '.join(BUILT_IN)}; your own is named without its folder, cfg_ and ending.",
        )
    config = GitConfig.read(common_dir=None, git_dir=None, environment=environment, overrides=configuration)
    folders = list(procedure_folders(config, environment))
    for folder in folders:
        if script := _script_in(folder, f"cfg_{name}"):
            return Procedure(name=name, script=script, call=_call(name, script, config))
    if recipe := BUILT_IN.get(name):
        return Procedure(name=name, recipe=recipe)
    raise UsageError(
        f"There is no procedure {name}.",
        f"Built in are {', '.join(BUILT_IN)}; your own is a program cfg_{name}.py or .sh in {folders[0]}",
    )


def procedure_folders(config: GitConfig, environment: Mapping[str, str]) -> Iterator[str]:
    """Where procedures lie, first the user's, then the machine's, then further ones that he configured."""
    home = environment.get("HOME", "")
    user, system = os.path.join(home, ".config"), "/etc/xdg"
    if sys.platform == "darwin":
        user, system = os.path.join(home, "Library/Application Support"), "/Library/Application Support"
    user = environment.get("XDG_CONFIG_HOME") or user
    system = environment.get("XDG_CONFIG_DIRS", "").split(os.pathsep)[0] or system
    for kind, default in (("user", user), ("system", system), ("extra", "")):
        setting = f"datalad.locations.{kind}-procedures"
        variable = f"DATALAD_LOCATIONS_{kind.upper()}__PROCEDURES"
        given = [value for value in config.get_all(setting) if value]
        if variable in environment:
            given = [environment[variable]]
        if default and not given:
            given = [os.path.join(default, "datalad", "procedures")]
        yield from given if kind == "extra" else given[-1:]


def _script_in(folder: str, name: str) -> str:
    """The program of this name in a folder; '' if there is none."""
    try:
        names = set(os.listdir(folder))
    except OSError:
        return ""
    found = [other for other in (name, f"{name}.py", f"{name}.sh") if other in names]
    return os.path.join(folder, found[0]) if found else ""


def _call(name: str, script: str, config: GitConfig) -> tuple[str, ...]:
    if form := config.get(f"datalad.procedures.cfg_{name}.call-format"):
        return tuple(shlex.split(form))
    if script.endswith(".py"):
        return (sys.executable, "{script}", "{ds}", "{args}")
    if script.endswith(".sh"):
        return ("bash", "{script}", "{ds}", "{args}")
    if os.access(script, os.X_OK) and os.path.isfile(script):
        return ("{script}", "{ds}", "{args}")
    raise UsageError(f"{script} cannot be run.", f"Make it executable: chmod +x {shlex.quote(script)}")


def run_procedure(procedure: Procedure, dataset: Dataset, around: Surroundings) -> Iterator[Outcome]:
    """Carry a procedure out in a dataset, as a commit of its own. Its outcome comes last, after those of failures."""
    failed = remedy = kind = ""
    code = 0
    try:
        if procedure.recipe is None:
            _run_script(procedure, dataset)
        else:
            yield from _follow(procedure.recipe, dataset, around)
    except EngramError as error:
        failed, remedy, kind = error.what, error.next_step, type(error).__name__
        code = error.exit_status if isinstance(error, PeerFailed) and procedure.recipe is None else 1
    yield RunOutcome(
        action="run",
        item=procedure.name,
        status=Status.ERROR if failed else Status.OK,
        message=failed,
        error=kind,
        remedy=remedy,
        note=procedure.name,
        path=dataset.work_tree,
        type="dataset",
        refds=dataset.work_tree,
        details=_details(procedure, dataset, code),
    )


def _details(procedure: Procedure, dataset: Dataset, code: int) -> Mapping[str, Any]:
    """DataLad's fields about what was run. A built-in procedure is no program: it is told as one would type it."""
    built_in = ["engram", "run-procedure", f"cfg_{procedure.name}"]
    line = shlex.join(built_in if procedure.recipe is not None else _command(procedure, dataset))
    record = RunRecord(cmd=line, dsid=DataladSettings(dataset).dataset_id, exit=code)
    return {"run_info": record.fields, "exit_code": code, "msg_path": None}


def _command(procedure: Procedure, dataset: Dataset) -> list[str]:
    words = {"{script}": [procedure.script], "{ds}": [dataset.work_tree], "{args}": []}
    return [part for word in procedure.call for part in words.get(word, [word])]


def _run_script(procedure: Procedure, dataset: Dataset) -> None:
    command = _command(procedure, dataset)
    status, said = dataset.programs.script(dataset.work_tree, command)
    if status != 0:
        raise PeerFailed(" ".join(command), status, said)


def _follow(recipe: Recipe, dataset: Dataset, around: Surroundings) -> Iterator[Outcome]:
    files = recipe.files(lambda path: _content(dataset, path))
    if recipe.wants_clean_files:
        _check_clean(dataset, files)
    if recipe.removes_annex and dataset.has_annex:
        _remove_annex(dataset)
    for path, content in files.items():
        place = _place(dataset, path)
        if not os.path.lexists(place) or _content(dataset, path) != content:
            durable.make_folders(around.steps, os.path.dirname(place))
            durable.replace(around.steps, place, content)
    now = open_dataset(dataset.work_tree, around)
    request = SaveRequest(scopes=tuple(os.fsencode(path) for path in files), message=recipe.message)
    if files:
        yield from (outcome for outcome in Saver(now, request).carry_out() if outcome.failed)


def plan_procedure(procedure: Procedure, dataset: Dataset) -> Plan:
    """What a built-in procedure would write and take away. Raises `UsageError` as carrying it out would fail."""
    recipe = procedure.recipe
    if recipe is None:
        return Plan(steps=(PlannedStep(action="run", item=procedure.name, why=" ".join(procedure.call)),))
    files = recipe.files(lambda path: _content(dataset, path))
    try:
        if recipe.wants_clean_files:
            _check_clean(dataset, files)
    except UsageError as error:
        return Plan(refused=(PlannedStep(action="run", item=procedure.name, why=error.what),))
    annex = [PlannedStep(action="remove", item=".git/annex", why="it keeps no annex")]
    steps = annex if recipe.removes_annex and dataset.has_annex else []
    for path, content in files.items():
        is_there = os.path.lexists(_place(dataset, path))
        if not is_there or _content(dataset, path) != content:
            why = "changed, goes to git" if is_there else "new, goes to git"
            steps.append(PlannedStep(action="add", item=path, bytes=len(content), why=why))
    return Plan(steps=tuple(steps))


def _place(dataset: Dataset, path: str) -> str:
    """Where a file of the dataset lies. Raises `UsageError` for one that a link would lead elsewhere."""
    place = dataset.work_tree
    for name in path.split("/"):
        place = os.path.join(place, name)
        if os.path.islink(place):
            raise UsageError(f"{place} is a symbolic link.", "Put a file or folder of its own there, then try again.")
    return place


def _content(dataset: Dataset, path: str) -> bytes:
    try:
        with open(_place(dataset, path), "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def _check_clean(dataset: Dataset, files: Files) -> None:
    """Raise `UsageError` if a file that is to be written is not saved."""
    request = SaveRequest(scopes=tuple(os.fsencode(path) for path in files))
    unsaved = [step.item for step in Saver(dataset, request).plan().steps]
    if unsaved:
        raise UsageError(
            f"It would overwrite what is not saved: {', '.join(unsaved)}.",
            "Save or move that, then make the dataset again.",
        )


def _remove_annex(dataset: Dataset) -> None:
    """Take the annex away. Raises `UsageError` if it holds content."""
    programs = dataset.programs
    if programs.git_annex(dataset.work_tree, "whereis", "--all", "--json", fine=(0, 1)):
        raise UsageError("The annex holds content, so it is not taken away.", "git annex unannex brings it back first.")
    programs.git_annex(dataset.work_tree, "uninit")
