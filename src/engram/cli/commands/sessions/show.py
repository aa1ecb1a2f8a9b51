"""Show all that the catalogue says of sessions: recordings, tasks, people, findings.

ID is the session's, as engram sessions list shows it.

    engram sessions show 12347/2020-01-01T10-00-30
"""

from collections.abc import Iterator

import click

from engram.cli.call import Call
from engram.cli.root import Verb
from engram.cli.text import printable
from engram.model.recordings import Recording, Task
from engram.model.reports import SessionReport
from engram.workspace.sessions import Sessions


@click.command(cls=Verb, help=__doc__)
@click.argument("names", nargs=-1, required=True, metavar="ID...")
@click.pass_obj
def command(call: Call, *, names: tuple[str, ...]) -> None:
    call.show_blocks(call.open(Sessions).show(names), _printable)


def _printable(report: SessionReport) -> Iterator[str]:
    return map(printable, _lines(report))


def _lines(report: SessionReport) -> Iterator[str]:
    from engram.cli.sessions_view import when

    session = report.session
    yield session.id
    said = {
        "subject": session.subject,
        "started": when(session.started),
        "folder": ", ".join(f"{share}:{folder}" for share, folder in session.folders),
        "experimenters": ", ".join(report.experimenters),
        "projects": ", ".join(report.projects),
        "room": report.room,
        "groups": ", ".join(session.groups),
        "clustered in": ", ".join(report.clusterings),
        "note": report.note,
    }
    yield from (f"  {name}: {value}" for name, value in said.items() if value)
    for recording in session.recordings:
        yield f"  recording {recording.id}: {_recording(recording)}"
        share = f"{recording.share}:" if recording.share else ""
        yield from (f"    {share}{path}" for path in recording.paths)
        yield from _of_recording(report, recording.id)
    for task in session.tasks:
        yield f"  task {task.name}: {_task(task)}"
        yield from (f"    {name}: {where}" for name, where in task.objects)
        yield from [f"    note: {task.note}"] if task.note else []
    for finding in session.findings:
        why = report.accepted(finding)
        mark = "accepted " if why else ""
        yield f"  {mark}{finding.severity} {finding.code}: {finding.path}"
        yield f"    {finding.message}"
        yield from [f"    accepted: {why}"] if why else []


def _of_recording(report: SessionReport, name: str) -> Iterator[str]:
    if name in report.implants:
        yield f"    implant: {report.implants[name]}"
    if name in report.curators:
        yield f"    curated by: {report.curators[name]}"


def _recording(recording: Recording) -> str:
    told = [recording.kind, recording.device, recording.processing]
    told += [f"{recording.channels} channels"] if recording.channels is not None else []
    told += [f"{recording.sampling_rate_hz:g} Hz"] if recording.sampling_rate_hz is not None else []
    told += [f"{recording.duration_s:g} s"] if recording.duration_s is not None else []
    return ", ".join(filter(None, told))


def _task(task: Task) -> str:
    told = [f"from {task.start_s:g} s" + (f" to {task.stop_s:g} s" if task.stop_s is not None else "")]
    told += [task.type, f"in {task.arena}" if task.arena else "", f"light {task.light}" if task.light else ""]
    told += ["confirmed" if task.confirmed else "inferred"]
    return ", ".join(filter(None, told))
