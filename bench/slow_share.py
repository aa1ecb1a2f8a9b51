"""Scan a share on which every call takes a while: ``python slow_share.py SHARE STATE DELAY_MS``."""

import json
import sys
import time
from collections.abc import Mapping

from engram.model.lab import Share
from engram.sessions.discovery import discover
from engram.sessions.scanning.scan import Scanner
from engram.testing.shares import SlowDisk


def main(share: str, state: str, delay_ms: str) -> None:
    disk = SlowDisk(float(delay_ms) / 1000)
    recognisers = discover().recognisers
    scanner = Scanner(state_file=state, recognisers=recognisers, worker=_none, now_ns=time.time_ns(), disk=disk)
    seen = sum(1 for _ in scanner.scan(Share(name="slow", root=share)))
    sys.stdout.write(json.dumps({"seen": seen, "calls": disk.calls}) + "\n")


def _none(path: str, reader: str) -> Mapping[str, object]:
    raise AssertionError(f"{reader} of {path}: nothing here needs a heavy library")


if __name__ == "__main__":
    main(*sys.argv[1:])
