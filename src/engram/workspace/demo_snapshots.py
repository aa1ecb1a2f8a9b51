"""The demonstration's third part: two real connectomes become snapshots, are asked, checked and compared."""

import os
import runpy
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TypeAlias

from engram import durable
from engram.connectome.asking.changes import SnapshotChange, SnapshotDifference
from engram.durable import Steps
from engram.model.outcome import Outcome
from engram.model.progress import Silent
from engram.workspace.context import Context
from engram.workspace.demo_lab import Step, Told
from engram.workspace.snapshot_asking import Columns, Row, SnapshotAsking
from engram.workspace.snapshot_building import SnapshotBuilding
from engram.workspace.snapshot_proving import SnapshotProving

#: Shows the answer to a question.
ShowsAnswer: TypeAlias = "Callable[[Iterator[Columns | Row]], str]"
#: Shows what changed between two snapshots.
ShowsDifference: TypeAlias = "Callable[[Iterable[SnapshotChange | SnapshotDifference]], str]"

_SHIPPED = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "demo_connectomes")
#: What a snapshot with plots needs.
_LIBRARIES = ("altair", "duckdb", "pyarrow", "vl_convert", "yaml")
_LEFT_OUT = "Snapshots of connectomes are left out, they need engram's extra connectome: pip install '.[connectome]'."
#: Questions, as one types them into a shell.
_STRONGEST = """
    SELECT pre.instance AS source, post.instance AS target, weight FROM connectome_weights
    JOIN body_stats pre ON pre.body = body_pre JOIN body_stats post ON post.body = body_post
    ORDER BY weight DESC, source, target LIMIT 3"""
_COMPLETE = """
    SELECT status, round(100 * traced_conn_frac, 1) AS percent_of_connections
    FROM reports_primary_primary_all_status_stats WHERE name = 'all' ORDER BY percent_of_connections"""
_CURVE = "larva-v0.9/reports/primary/reports/all/html/all-cumulative-connectivity-with-links-larva-v0.9.html"
_MOST = 2


@dataclass(frozen=True, slots=True)
class SnapshotStory:
    """Tells it in one folder beside the dataset."""

    context: Context
    #: The dataset's folder.
    top: str
    steps: Steps
    answer_text: ShowsAnswer
    difference_text: ShowsDifference

    @property
    def folder(self) -> str:
        """The folder of tables and snapshots."""
        return f"{self.top}-connectomes"

    def told(self) -> Iterator[Step]:
        """The steps; without the libraries of snapshots one that names the extra."""
        if not all(map(find_spec, _LIBRARIES)):
            yield Step("", _LEFT_OUT, lambda: "")
            return
        yield from self._worm()
        yield from self._larva()

    def _worm(self) -> Iterator[Step]:
        name = shlex.quote(os.path.basename(self.folder))
        yield Step(
            f"cd ..\ncp -R {shlex.quote(_SHIPPED)}/. {name}\ncd {name}",
            "Two real connectomes as tables of synapses: a larva's, and a worm's, whose coordinates are made up.",
            self._copy,
        )
        yield Step(
            "engram snapshot build -c worm/worm.yaml --no-plots",
            "The worm becomes a snapshot: flat tables, the files of a neuPrint database, reports.",
            lambda: self._build("worm/worm.yaml", plots=False),
        )
        yield Step(
            f'engram snapshot query worm-v1.0 "{_STRONGEST}"',
            "Which are its strongest connections? What is asked is SQL.",
            lambda: self._ask("worm-v1.0", _STRONGEST),
        )
        yield Step(
            "engram snapshot check worm-v1.0",
            "Every table and every sum of it is proven.",
            lambda: _counted(SnapshotProving(self._inside).check("worm-v1.0", memory="", threads=0)),
        )

    def _larva(self) -> Iterator[Step]:
        yield Step(
            f"{shlex.quote(sys.executable)} code/set_back.py larva larva-before",
            "A made-up earlier version of the larva: a fragment is not joined yet, a neuron not recognised.",
            self._set_back,
        )
        yield Step(
            "engram snapshot build -c larva-before/larva.yaml",
            "It becomes a snapshot, too, and its reports have plots.",
            lambda: self._build("larva-before/larva.yaml"),
        )
        yield Step(
            f'engram snapshot query larva-v0.9 "{_COMPLETE}"',
            "How complete is it, with bodies of a status and of better ones? A browser shows the plot.",
            lambda: f"{self._ask('larva-v0.9', _COMPLETE)}\n{_CURVE}",
        )
        yield Step(
            "engram snapshot build -c larva/larva.yaml",
            "What proofreading made of it: the version that is released.",
            lambda: self._build("larva/larva.yaml"),
        )
        yield Step(
            f"engram snapshot diff larva-v0.9 larva-v1.0 --most {_MOST}",
            "And what changed between them.",
            self._compare,
        )

    @property
    def _inside(self) -> Context:
        return replace(self.context, folder=self.folder, progress=Silent())  # each step takes a moment

    def _copy(self) -> str:
        """Copy what is shipped in the package."""
        for folder, folders, names in os.walk(_SHIPPED):
            folders[:] = [name for name in folders if name != "__pycache__"]  # what an installer compiled
            target = os.path.normpath(os.path.join(self.folder, os.path.relpath(folder, _SHIPPED)))
            durable.make_folders(self.steps, target)
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    durable.write_new(self.steps, os.path.join(target, name), file.read())
        return ""

    def _build(self, config: str, *, plots: bool = True) -> Told:
        building = SnapshotBuilding(self._inside, steps=self.steps)
        return _counted(building.build(config, output="", memory="", threads=0, plots=plots))

    def _ask(self, snapshot: str, question: str) -> str:
        return self.answer_text(SnapshotAsking(self._inside).query(snapshot, question, memory="", threads=0))

    def _set_back(self) -> str:
        """What the shipped program does, within this process: it is Python, and engram's own."""
        program = runpy.run_path(os.path.join(_SHIPPED, "code", "set_back.py"))
        program["main"]([os.path.join(self.folder, name) for name in ("larva", "larva-before")])
        return ""

    def _compare(self) -> str:
        asking = SnapshotAsking(self._inside)
        return self.difference_text(asking.diff("larva-v0.9", "larva-v1.0", most=_MOST, memory="", threads=0))


def _counted(outcomes: Iterator[Outcome]) -> Told:
    """How many outcomes of each kind there are, or those that failed."""
    told = list(outcomes)
    if failed := [one for one in told if one.failed]:
        return iter(failed)
    counts = Counter((one.action, str(one.status)) for one in told)
    lines = (f"  {action} ({status}: {count})" for (action, status), count in counts.items())
    return "\n".join(["...", "action summary:", *lines])
