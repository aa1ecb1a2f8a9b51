"""What somebody types who knows DataLad or git-annex, where engram has no such word: what to type instead."""

from collections.abc import Mapping, Sequence

from engram.model.errors import UsageError

_SAME_DATASET = "Use it on this same dataset: {}"
_ALL_IS_TOLD = "Leave it out: everything is told, as text, and no secret is. One section: engram wtf -S SECTION"
_LISTS = "engram lists siblings. To add or change one: datalad siblings …, or git remote"
_IS_KEPT = "Leave it out. What is not saved is kept, unless you say: --reckless modification"

#: Commands of DataLad that engram does not have yet; they work on the same datasets.
DATALAD = (
    "add-archive-content", "add-readme", "addurls", "check-dates", "containers-add", "containers-list",
    "containers-remove", "containers-run", "copy-file", "create-sibling", "create-sibling-gin",
    "create-sibling-gitea", "create-sibling-github", "create-sibling-gitlab", "create-sibling-gogs",
    "create-sibling-ria", "create-test-dataset", "download-url", "export-archive", "export-archive-ora",
    "export-to-figshare", "foreach-dataset", "no-annex", "push", "sshrun", "update",
)  # fmt: skip
#: Commands of git-annex that DataLad's users know, and engram does not have.
_GIT_ANNEX = ("addurl", "copy", "enableremote", "find", "info", "initremote", "list", "lock", "move", "sync")
#: What engram calls by another name.
_RENAMED = {
    "add": "engram save PATH records it at once; there is no step before that.",
    "annex": "git annex …, on this same dataset",
    "commit": "engram save -m MESSAGE",
    "init": "engram create -f",
    "install": "engram clone SOURCE; for what is in a dataset already: engram get PATH",
    "log": "engram history FILE, or git log",
    "shell-completion": "engram completion SHELL",
    "uninstall": "engram drop --what all PATH",
}
#: What to do without an option of DataLad's, by command and option.
OPTIONS: Mapping[str, Mapping[str, str]] = {
    "create": {"--fake-dates": _SAME_DATASET.format("datalad create --fake-dates …")},
    "drop": {"--if-dirty": _IS_KEPT},
    "remove": {
        "--if-dirty": _IS_KEPT,
        "--nosave": "Leave it out. To put what follows into the same commit: engram save --amend",
    },
    "save": {"--since": _SAME_DATASET.format("datalad save --since …")},
    "siblings": dict.fromkeys(
        (
            "--url", "--pushurl", "-D", "--description", "--fetch", "--as-common-datasrc", "--publish-depends",
            "--publish-by-default", "--annex-wanted", "--annex-required", "--annex-group", "--annex-groupwanted",
            "--inherit",
        ),
        _LISTS,
    ),
    "wtf": dict.fromkeys(("-s", "--sensitive", "--flavor", "-D", "--decor", "-c", "--clipboard"), _ALL_IS_TOLD),
}  # fmt: skip


def missing_command(name: str) -> UsageError | None:
    """What to say of a command that engram has not, and others have; ``None`` when nobody has it."""
    if name in _RENAMED:
        return UsageError(f"There is no command {name!r}.", f"Instead: {_RENAMED[name]}")
    if name in DATALAD:
        advice = _SAME_DATASET.format(f"datalad {name}")
        return UsageError(f"engram has no command {name!r} yet; DataLad has.", advice)
    if name in _GIT_ANNEX:
        advice = _SAME_DATASET.format(f"git annex {name}")
        return UsageError(f"engram has no command {name!r}; git-annex has.", advice)
    return None


def missing_option(command: str, option: str, before: Sequence[str]) -> UsageError | None:
    """What to say of an option that a command has not: DataLad's, or one that stands *before* commands."""
    if advice := OPTIONS.get(command, {}).get(option):
        return UsageError(f"engram {command} has no option {option}; DataLad has.", advice)
    if option not in before:
        return None
    right = option if option == "--version" else f"{option} … {command}"
    return UsageError(f"{option} stands before the command, not after it.", f"Write: engram {right}")
