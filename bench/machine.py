"""What the bench runs on."""

import os
import platform
from pathlib import Path


def describe_machine() -> dict[str, str]:
    """Processor, memory and kernel, as far as this system tells."""
    return {
        "processor": _first("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "memory": _memory(),
        "system": f"{platform.system()} {platform.release()}",
    }


def load() -> float:
    """How many processes wanted to run during the last minute, on average."""
    return round(os.getloadavg()[0], 2)


def _memory() -> str:
    kib = _first("/proc/meminfo", "MemTotal").split()
    return f"{int(kib[0]) / (1 << 20):.0f} GiB" if kib else ""


def _first(file: str, label: str) -> str:
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(label)), "")
