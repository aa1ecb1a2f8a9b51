"""engram keeps the chain of custody of neuroscience data, from the rig to the published result.

Importing it costs nothing: each name below is loaded when it is first used.
"""

TYPE_CHECKING = False  # as type checkers want it; importing it from typing would take longer than all of the rest
if TYPE_CHECKING:
    import engram.workspace.verbs.snapshot as snapshot
    from engram.model.errors import EngramError
    from engram.model.outcome import DatasetOutcome, IncompleteResults, Outcome, Status
    from engram.model.plan import Plan
    from engram.workspace.verbs.auditing import dropunused, fsck, numcopies, unused, whereis
    from engram.workspace.verbs.carrying import carry_out
    from engram.workspace.verbs.cloning import clone, siblings
    from engram.workspace.verbs.comparing import diff
    from engram.workspace.verbs.dropping import drop, remove
    from engram.workspace.verbs.getting import get
    from engram.workspace.verbs.lab import open_lab
    from engram.workspace.verbs.nesting import subdatasets
    from engram.workspace.verbs.planning import plan
    from engram.workspace.verbs.provenance import history, rerun, run, run_procedure, unlock
    from engram.workspace.verbs.recording import create, save, status, trust
    from engram.workspace.verbs.upkeep import clean, configuration, wtf

__version__ = "0.1.0"
__all__ = [
    "DatasetOutcome",
    "EngramError",
    "IncompleteResults",
    "Outcome",
    "Plan",
    "Status",
    "carry_out",
    "clean",
    "clone",
    "configuration",
    "create",
    "diff",
    "drop",
    "dropunused",
    "fsck",
    "get",
    "history",
    "numcopies",
    "open_lab",
    "plan",
    "remove",
    "rerun",
    "run",
    "run_procedure",
    "save",
    "siblings",
    "snapshot",
    "status",
    "subdatasets",
    "trust",
    "unlock",
    "unused",
    "whereis",
    "wtf",
]


def __getattr__(name: str) -> object:
    from importlib import import_module  # here, because importing engram must cost nothing

    if name in _NAMESPACES:
        return import_module(_NAMESPACES[name])
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module 'engram' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])


#: Modules whose functions are called as engram.NAME.FUNCTION.
_NAMESPACES = {"snapshot": "engram.workspace.verbs.snapshot"}
_HOMES = {
    "engram.model.errors": ("EngramError",),
    "engram.model.outcome": ("DatasetOutcome", "IncompleteResults", "Outcome", "Status"),
    "engram.model.plan": ("Plan",),
    "engram.workspace.verbs.auditing": ("dropunused", "fsck", "numcopies", "unused", "whereis"),
    "engram.workspace.verbs.carrying": ("carry_out",),
    "engram.workspace.verbs.cloning": ("clone", "siblings"),
    "engram.workspace.verbs.dropping": ("drop", "remove"),
    "engram.workspace.verbs.getting": ("get",),
    "engram.workspace.verbs.comparing": ("diff",),
    "engram.workspace.verbs.lab": ("open_lab",),
    "engram.workspace.verbs.nesting": ("subdatasets",),
    "engram.workspace.verbs.planning": ("plan",),
    "engram.workspace.verbs.provenance": ("history", "rerun", "run", "run_procedure", "unlock"),
    "engram.workspace.verbs.recording": ("create", "save", "status", "trust"),
    "engram.workspace.verbs.upkeep": ("clean", "configuration", "wtf"),
}
