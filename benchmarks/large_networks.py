"""Audit a ResNet-50 and a VGG-19 at 224 x 224 on two cores: time, where it goes, and memory.

    python benchmarks/large_networks.py [resnet50] [vgg19]

Weights are random, so nothing is said about the networks: the last layer is fitted to the images,
and what is measured is fidelity to the network's own answers. Ten classes of ten images each, eight
sites spread over the depth, NMF on single-class batches, a budget of 1.5 GiB for activations. Each
network is audited in a process of its own; its peak memory is the maximum resident set. Prints a
table and writes it, with the machine and the versions, to benchmarks/results/.
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

import network_shapes
import numpy as np
from machine import describe

RESULT = Path(__file__).parent / "results" / "large_networks.json"
NETWORKS: dict[str, network_shapes.Layers] = {
    "resnet50": network_shapes.resnet50,
    "vgg19": network_shapes.vgg19,
}
CORES, SITES, CLASSES, PER_CLASS, MEMORY = 2, 8, 10, 10, 3 * 2**29


def sites(path: Path) -> list[str]:
    """Return the names of eight sites, from the first to the last."""
    from onnxmem import graph

    found = graph.find_sites(graph.load(path))
    places = np.linspace(0, len(found) - 1, SITES).round().astype(int)
    return [found[place].tensor for place in places]


def audit(path: Path, layers: list[str]) -> dict[str, Any]:
    """Audit one network in this process."""
    import onnxmem

    x, _ = network_shapes.images(CLASSES, PER_CLASS, 224)
    begin, used = time.perf_counter(), time.process_time()
    report = onnxmem.audit(
        path,
        x,
        layers=layers,
        compress=["nmf"],
        batch=["class"],
        metric="fidelity",
        per_class=PER_CLASS,
        device="cpu",
        memory=MEMORY,
    )
    seconds = time.perf_counter() - begin
    return {
        "classes": report.data.classes,
        "samples": report.data.samples,
        "seconds": round(seconds, 1),
        "processor_seconds": round(time.process_time() - used, 1),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "split": report.timings,
        "layers": [
            {
                "tensor": layer.tensor,
                "shape": layer.shape,
                "status": layer.status,
                "ranks": [len(curve.x) for curve in layer.curves],
                "auc": [round(curve.auc, 3) for curve in layer.curves],
                "reason": layer.reason,
            }
            for layer in report.layers
        ],
        "verdict": report.verdict,
    }


def measure(name: str) -> dict[str, Any]:
    """Make one network and audit it in a process of its own, on two cores."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.onnx"
        make = [sys.executable, __file__, "--make", name, str(path)]
        subprocess.run(make, check=True)
        run = [sys.executable, __file__, "--audit", str(path), *sites(path)]
        result = subprocess.run(run, check=True, capture_output=True, text=True)
    return {"network": name, **json.loads(result.stdout)}


def row(found: dict[str, Any]) -> str:
    """Return one network's line of the table."""
    split, whole = found["split"], sum(found["split"].values())
    forward = sum(split.get(stage, 0.0) for stage in ("reference", "head"))
    parts = (forward, split["factorization"], split["tail"], split["rest"])
    shares = "  ".join(f"{100 * part / whole:9.1f} %" for part in parts)
    return (
        f"{found['network']:9} {found['seconds']:8.1f} s {found['processor_seconds']:8.1f} s "
        f"{found['peak_mib']:6d} MiB  {shares}"
    )


def main() -> None:
    """Measure the networks that are named, or both."""
    if sys.argv[1:2] == ["--make"]:
        x, y = network_shapes.images(CLASSES, PER_CLASS, 224)
        network_shapes.make(NETWORKS[sys.argv[2]], Path(sys.argv[3]), x, y)
        return
    if sys.argv[1:2] == ["--audit"]:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
        print(json.dumps(audit(Path(sys.argv[2]), sys.argv[3:])))
        return
    old = json.loads(RESULT.read_text("utf-8"))["rows"] if RESULT.exists() else []
    rows = {one["network"]: one for one in old}
    print(
        "network      elapsed  processor       peak      forward  factorization       tail"
        "         rest"
    )
    for name in sys.argv[1:] or NETWORKS:
        rows[name] = measure(name) | {"environment": describe()}
        print(row(rows[name]), flush=True)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps({"rows": list(rows.values())}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
