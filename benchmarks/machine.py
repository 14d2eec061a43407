"""The machine and the versions that a measurement was made with."""

from __future__ import annotations

import datetime
import os
import platform
from pathlib import Path
from typing import Any

from onnxmem.runtime import versions


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
