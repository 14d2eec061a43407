"""How the cost of an audit grows with layers, classes, samples, channels and ranks.

    python benchmarks/growth.py

A small network of 16 stacked convolutions, made here with random weights; NMF on single-class
batches of some of its layers, which are spread evenly over the depth.
One quantity is doubled at a time, twice. Times are processor time, one process for each audit,
after a tiny one that warms it up; `growth` is the time over that of the smallest. Memory is the
maximum resident set. Prints a table and writes it to benchmarks/results/.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import network_shapes
from machine import describe

RESULT = Path(__file__).parent / "results" / "growth.json"
DEPTH = 16
BASE = {"layers": 4, "classes": 8, "samples": 20, "channels": 32, "ranks": 4}
TINY = {"layers": 1, "classes": 2, "samples": 10, "channels": 2, "ranks": 1}
SIDE = 14


def stacked(b: network_shapes.Builder, channels: int, side: int) -> tuple[str, int]:
    """Add equal convolutions and a mean over positions; return it and its size."""
    x = b.relu(b.conv("x", "conv0", (3, channels), 3))
    for number in range(1, DEPTH):
        x = b.relu(b.conv(x, f"conv{number}", (channels, channels), 3))
    return b.add("Flatten", [b.add("GlobalAveragePool", [x], "mean")], "flat"), channels


def audit(settings: dict[str, int]) -> dict[str, float]:
    """Audit one network in this process."""
    import onnxmem

    x, y = network_shapes.images(settings["classes"], settings["samples"], SIDE)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.onnx"
        network_shapes.make(stacked, path, x, y, settings["channels"])
        begin = time.process_time()
        report = onnxmem.audit(
            path,
            x,
            y,
            layers=[f"conv{n}.relu" for n in range(0, DEPTH, DEPTH // settings["layers"])],
            compress=["nmf"],
            batch=["class"],
            metric="fidelity",
            per_class=settings["samples"],
            ranks=range(1, settings["ranks"] + 1),
            device="cpu",
            min_accuracy=0.0,
        )
    assert all(one.status != "skipped" for one in report.layers), report.reason
    return {
        "seconds": time.process_time() - begin,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def measure(settings: dict[str, int]) -> dict[str, float]:
    """Audit one network in a process of its own."""
    run = [sys.executable, __file__, json.dumps(settings)]
    result: dict[str, float] = json.loads(subprocess.check_output(run, text=True))
    return result


def main() -> None:
    """Double everything, twice, one by one."""
    if sys.argv[1:]:
        audit(TINY)
        print(json.dumps(audit(json.loads(sys.argv[1]))))
        return
    rows: list[dict[str, Any]] = []
    print("varied       value   seconds   growth   peak MiB")
    for name, smallest in BASE.items():
        first = 0.0
        for factor in (1, 2, 4):
            found = measure(BASE | {name: smallest * factor})
            first = first or found["seconds"]
            growth = found["seconds"] / first
            row = {"varied": name, "value": smallest * factor, "growth": round(growth, 2)}
            rows.append(row | {key: round(value, 2) for key, value in found.items()})
            print(
                f"{name:10} {smallest * factor:7d} {found['seconds']:9.2f} {growth:8.2f} "
                f"{found['peak_mib']:10.0f}",
                flush=True,
            )
    RESULT.parent.mkdir(exist_ok=True)
    text = json.dumps({"environment": describe(), "base": BASE, "rows": rows}, indent=1)
    RESULT.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
