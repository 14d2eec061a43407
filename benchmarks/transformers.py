"""Audit a BERT-like classifier of texts and a ViT-Tiny: time, where it goes, and memory.

    python benchmarks/transformers.py [bert6] [vit_tiny]

Six layers of 256 for 64 tokens, padded texts with a mask; twelve layers of 192 for 197 tokens of
images of 224 x 224. Weights are random and the last layer is fitted to the samples, so nothing is
said about the networks. The audit is the default one, with its samples, under a budget of 1 GiB;
each runs in a process of its own on two cores. Prints a table and writes it to
benchmarks/results/transformers.json.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import transformer_shapes
from machine import describe
from transformer_shapes import Shape

RESULT = Path(__file__).parent / "results" / "transformers.json"
NETWORKS = {
    "bert6": (transformer_shapes.bert, Shape(depth=6, width=256, heads=4, classes=4), 60),
    "vit_tiny": (transformer_shapes.vit, Shape(depth=12, width=192, heads=3, classes=3), 30),
}
CORES, MEMORY = 2, 2**30


def audit(folder: Path) -> dict[str, Any]:
    """Audit one network in this process."""
    import onnxmem

    begin, used = time.perf_counter(), time.process_time()
    report = onnxmem.audit(
        folder / "network.onnx", folder / "data.npz", device="cpu", memory=MEMORY, cache=False
    )
    seconds = time.perf_counter() - begin
    assert report.evidence is not None
    return {
        "sites": len(report.layers),
        "samples": report.evidence.network.samples,
        "baseline": report.baseline.value,
        "seconds": round(seconds, 1),
        "processor_seconds": round(time.process_time() - used, 1),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "split": {stage: round(took, 1) for stage, took in report.timings.items()},
        "statuses": sorted({layer.status for layer in report.layers}),
        "summary": {key: round(one.auc, 3) for key, one in report.summary.items()},
        "notes": list(report.notes),
    }


def measure(name: str) -> dict[str, Any]:
    """Make one network and audit it in a process of its own, on two cores."""
    make, shape, per_class = NETWORKS[name]
    with tempfile.TemporaryDirectory() as folder:
        data = make(Path(folder) / "network.onnx", shape, per_class)
        np.savez(Path(folder) / "data.npz", **data)
        run = [sys.executable, __file__, "--audit", folder]
        result = subprocess.run(run, check=True, capture_output=True, text=True)
    return {"network": name, **json.loads(result.stdout)}


def main() -> None:
    """Measure the networks that are named, or both."""
    if sys.argv[1:2] == ["--audit"]:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
        print(json.dumps(audit(Path(sys.argv[2]))))
        return
    old = json.loads(RESULT.read_text("utf-8"))["rows"] if RESULT.exists() else []
    rows = {one["network"]: one for one in old}
    for name in sys.argv[1:] or NETWORKS:
        rows[name] = found = measure(name) | {"environment": describe()}
        parts = "  ".join(f"{stage} {took}" for stage, took in found["split"].items())
        print(
            f"{name}: {found['sites']} sites, {found['seconds']} s ({found['processor_seconds']} s "
            f"of processor time), peak {found['peak_mib']} MiB; {parts}",
            flush=True,
        )
    RESULT.write_text(json.dumps({"rows": list(rows.values())}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
