"""The machine and the versions that a measurement was made with."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from onnxmem.records import Report
from onnxmem.runtime import versions


def write_page(page: Iterable[str], path: Path) -> None:
    """Print the lines of a page as they are made, and write it."""
    lines = []
    for line in page:
        print(line, flush=True)
        lines.append(line)
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n", "utf-8")


def footer(report: Report) -> str:
    """Return the date, and the device and the versions of an audit with the default settings."""
    environment = report.environment
    used = ("python", "onnxruntime", "onnxruntime-gpu", "onnx", "numpy")
    found = [f"{name} {environment[name]}" for name in used if name in environment]
    return f"{datetime.date.today()}, {environment['device']}, {', '.join(found)}; defaults."


def describe() -> dict[str, Any]:
    """Describe processor, cores, load and versions."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text("utf-8").splitlines() if cpuinfo.exists() else []
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "cpu": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        **versions(),
    }
