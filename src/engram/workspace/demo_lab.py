"""The demonstration's second half: a recording share, from the first scan to what only people know."""

import os
import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from engram import durable
from engram.durable import Steps
from engram.model.errors import ExtraMissing, UsageError
from engram.model.outcome import Outcome
from engram.workspace.annotation import Annotation
from engram.workspace.context import Context
from engram.workspace.ingestion import Ingestion
from engram.workspace.lab import Labs
from engram.workspace.scanning import Scanning
from engram.workspace.shares import Shares
from engram.workspace.subjects import Subjects

if TYPE_CHECKING:
    from engram.sessions.scanning.seen import Seen

#: What a step gives: outcomes of an operation, or what another program said.
Told: TypeAlias = "Iterator[Outcome] | str"
#: Shows what a scan found.
ShowsSeen: TypeAlias = "Callable[[Iterable[Seen | Outcome]], str]"

_SHARE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "demo_share", "recordings")
_SUBJECT = "12347"
_LEFT_OUT = "A lab's recordings are left out, they need engram's extra lab: pip install '.[lab]'."
#: The binaries, of silence, with their sizes: the second is seven bytes shorter than its metadata says.
_BINARIES = {
    "12347/2020-01-01_10-00-30/probe_1/npx.imec.ap.bin": 46200,
    "12347/2020-01-02_11-13-17/probe_1/npx.imec.ap.bin": 46193,
}


@dataclass(frozen=True, slots=True)
class Step:
    """One command of the story."""

    command: str
    meaning: str
    do: Callable[[], Told]


@dataclass(frozen=True, slots=True)
class LabStory:
    """Tells it in two folders beside the dataset."""

    context: Context
    #: The dataset's folder.
    top: str
    steps: Steps
    seen_text: ShowsSeen

    @property
    def share(self) -> str:
        """The folder that stands for what rigs write to."""
        return f"{self.top}-share"

    @property
    def lab(self) -> str:
        """The lab's folder."""
        return f"{self.top}-lab"

    def told(self) -> Iterator[Step]:
        """The steps; none where no lab can be; without the libraries of a catalogue one that names the extra."""
        try:
            Labs(self.context).plan_create(self.lab, catalogue=None, timezone="")
        except ExtraMissing:
            yield Step("", _LEFT_OUT, lambda: "")
            return
        except UsageError:
            return
        yield from self._beginning()
        yield from self._ingesting()
        yield from self._asking()

    def _beginning(self) -> Iterator[Step]:
        share, lab = (shlex.quote(os.path.basename(place)) for place in (self.share, self.lab))
        made = "\n".join(f"head -c {size} /dev/zero > {share}/{path}" for path, size in _BINARIES.items())
        yield Step(
            f"cd ..\ncp -R {shlex.quote(_SHARE)}/. {share}\n{made}",
            "Now a share that rigs write to: real metadata of a probe, silent signals, and one file is cut short.",
            self._make_share,
        )
        yield Step(
            f"engram lab create {lab}\ncd {lab}",
            "A lab: a file that says what it consists of, and a catalogue.",
            lambda: Labs(self.context).create(self.lab, catalogue=None, name="", timezone=""),
        )
        yield Step(
            f"engram share add recordings ../{share}",
            "Where recordings lie. Nothing there is ever written.",
            lambda: Shares(self._inside).add("recordings", self.share),
        )
        yield Step("engram sessions scan", "What is there, and what is wrong with it.", self._scan)

    def _ingesting(self) -> Iterator[Step]:
        yield Step(
            f"engram subjects add {_SUBJECT} --responsible ada",
            "Who was recorded from.",
            lambda: Subjects(self._inside).add([_SUBJECT], {"responsible": "ada"}),
        )
        yield Step(
            "engram sessions plan -o plan.json",
            "What the catalogue would take, and what not, and why.",
            self._plan,
        )
        yield Step(
            "engram sessions ingest plan.json",
            "Take it: a session and a transaction at a time.",
            lambda: Ingestion(self._inside).ingest(Ingestion(self._inside).read("plan.json"), path="plan.json"),
        )

    def _asking(self) -> Iterator[Step]:
        yield Step(
            "engram sessions missing -o missing.csv",
            "What only a person can say, as a table with all that can be inferred.",
            self._missing,
        )
        yield Step(
            "sed -i '/,project,/!s/,no,/,yes,/' missing.csv\nengram sessions annotate missing.csv",
            "All of it is right, says the person; the project is told another day.",
            self._annotate,
        )
        yield Step("engram sessions scan", "The next day: what did not change is not looked at again.", self._scan)
        yield Step("engram sessions plan", "And the catalogue has everything that is sound.", self._plan)

    @property
    def _inside(self) -> Context:
        return replace(self.context, folder=self.lab, lab_file="")

    def _make_share(self) -> str:
        for folder, _, names in os.walk(_SHARE):
            target = os.path.normpath(os.path.join(self.share, os.path.relpath(folder, _SHARE)))
            durable.make_folders(self.steps, target)
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    durable.write_new(self.steps, os.path.join(target, name), file.read())
        for path, size in _BINARIES.items():
            durable.write_new(self.steps, os.path.join(self.share, path), bytes(size))
        return ""

    def _scan(self) -> str:
        return self.seen_text(Scanning(self._inside).scan())

    def _plan(self) -> str:
        import json  # here, because help needs none of it

        plan = Ingestion(self._inside).plan()
        durable.replace(self.steps, os.path.join(self.lab, "plan.json"), json.dumps(plan.as_json()).encode())
        steps = [f"would {step.action}: {step.item} [{step.why}]" for step in plan.steps]
        refused = [f"would not {step.action}: {step.item} [{step.why}]" for step in plan.refused]
        return "\n".join([*steps, *refused, f"plan: {len(steps)} to do, {len(refused)} refused; nothing was changed"])

    def _missing(self) -> str:
        rows = Annotation(self._inside).missing()
        Annotation(self._inside).write(rows, "missing.csv")
        return "\n".join(
            f"{row.session}: {row.what} {row.item or ''}".rstrip() + f": {row.value or '?'}" for row in rows
        )

    def _annotate(self) -> Iterator[Outcome]:
        annotation = Annotation(self._inside)
        annotation.write([replace(row, confirmed=bool(row.value)) for row in annotation.missing()], "missing.csv")
        return annotation.annotate(annotation.read("missing.csv"))
