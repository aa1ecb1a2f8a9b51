"""Run as a program: records so many sessions, a change each, and says each number when it is kept. To be killed."""

import sys
from collections.abc import Iterator
from datetime import datetime, timedelta

from engram.catalogue.addresses import read_address
from engram.catalogue.directory import Directory
from engram.catalogue.opening import open_catalogue
from engram.catalogue.sessions import record_session
from engram.catalogue.subjects import put_subject
from engram.catalogue.unit import Author
from engram.model.recordings import Recording, Session, Task, session_id
from engram.sessions.scanned import FileSeen

FILES_OF_ONE = 20


def sessions(count: int) -> Iterator[tuple[Session, tuple[FileSeen, ...]]]:
    for number in range(count):
        started = datetime.fromisoformat("2020-01-01T10:00:00") + timedelta(hours=number)
        name = session_id("12347", started)
        files = tuple(FileSeen(f"part{part:03d}.bin", part, 10**18 + part) for part in range(FILES_OF_ONE))
        recording = Recording(kind="video", device="side", paths=(files[0].path, files[1].path), id=f"video:{name}")
        session = Session(
            id=name,
            subject="12347",
            started=started,
            share="recordings",
            folder=f"12347/{number}",
            tasks=(Task(name="open_field", start_s=1.5),),
            recordings=(recording,),
        )
        yield session, files


def main(url: str, count: str) -> None:
    directory = Directory()
    author = Author(who="ada@rig", command="test")
    with open_catalogue(read_address(url, "/")) as catalogue:
        with catalogue.changing(author) as unit:
            put_subject(unit, "12347", {})
        for number, (session, files) in enumerate(sessions(int(count))):
            with catalogue.changing(author) as unit:
                record_session(unit, session, files, directory=directory)
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
