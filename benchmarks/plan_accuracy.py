"""What `audit --plan` says beside what the audit then takes, for networks of several shapes.

    python benchmarks/plan_accuracy.py [--only GLOB]

Each plan and each audit runs in a process of its own, with default settings and no cache. `said` is
the range that the plan gives, beside what it expects, in seconds. The audit's wall time lies
between its processor time and that divided by the workers, unless other programs want the cores:
then the wall time says nothing. Writes benchmarks/results/plan_accuracy.md.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import network_shapes
import numpy as np
from machine import describe, write_page
from onnx import TensorProto, helper, numpy_helper

RESULT = Path(__file__).parent / "results" / "plan_accuracy.md"
MODELS = Path(__file__).parents[1] / "models"

TIMED = """
import json, sys, time
import numpy as np
from onnxmem.auditing import plan_audit, run_audit
from onnxmem.auditing.settings import Settings
from onnxmem.data import load
path, data, which, options = sys.argv[1:]
begin, used = time.perf_counter(), time.process_time()
work = {"plan": plan_audit, "audit": run_audit}[which]
found = work(path, load(data), Settings(device="cpu", **json.loads(options)))
seconds, used = time.perf_counter() - begin, time.process_time() - used
costs = {n: getattr(found, n).seconds for n in ("least", "expected", "most") if which == "plan"}
memory = found.peak_memory / 2**20 if which == "plan" else 0
import resource
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "used": used, "peak": peak, "memory": memory, **costs}))
"""


def dense(folder: Path, widths: tuple[int, ...], classes: int, each: int, inputs: int) -> None:
    """Write a fully connected classifier of clusters, whose last layer is fitted to them."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((classes, inputs)).astype(np.float32)
    labels = np.repeat(np.arange(classes), each)
    x = centres[labels] + rng.standard_normal((len(labels), inputs)).astype(np.float32) / 2
    weights, nodes, value, features = [], [], "x", x
    for number, width in enumerate(widths):
        w = rng.standard_normal((features.shape[1], width)).astype(np.float32)
        w *= np.float32(np.sqrt(2 / features.shape[1]))
        weights.append(numpy_helper.from_array(w, f"w{number}"))
        nodes.append(helper.make_node("MatMul", [value, f"w{number}"], [f"h{number}"]))
        nodes.append(helper.make_node("Relu", [f"h{number}"], [f"r{number}"]))
        value, features = f"r{number}", np.maximum(features @ w, 0)
    fitted = np.linalg.lstsq(features, np.eye(classes, dtype=np.float32)[labels], rcond=None)[0]
    weights.append(numpy_helper.from_array(fitted.astype(np.float32), "out"))
    nodes.append(helper.make_node("MatMul", [value, "out"], ["logits"]))
    shapes = [("x", inputs), ("logits", classes)]
    given, made = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size]) for name, size in shapes
    )
    graph = helper.make_graph(nodes, "mlp", [given], [made], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (folder / "net.onnx").write_bytes(model.SerializeToString())
    np.savez(folder / "net.npz", x=x, y=labels)


def drawn(folder: Path, layers: network_shapes.Layers, classes: int, each: int, side: int) -> None:
    """Write a network of a well-known shape, and images for it."""
    images, labels = network_shapes.images(classes, each, side)
    network_shapes.make(layers, folder / "net.onnx", images, labels)
    np.savez(folder / "net.npz", x=images, y=labels)


def shipped(folder: Path) -> None:
    """Link the network of ten digits that ships with the package."""
    for end in ("onnx", "npz"):
        (folder / f"net.{end}").symlink_to(MODELS / f"mnist-cnn-p40.{end}")


SHAPES: dict[str, tuple[Callable[[Path], None], dict[str, Any]]] = {
    "small MLP": (lambda folder: dense(folder, (64, 64, 64), 10, 60, 32), {}),
    "CNN p40": (shipped, {}),
    "ResNet-18, 64 × 64": (
        lambda folder: drawn(folder, network_shapes.resnet18, 10, 10, 63),
        {"per_class": 10},
    ),
    "MLP of 100 classes": (lambda folder: dense(folder, (64, 64, 64), 100, 30, 32), {}),
    "MLP 4096 wide": (lambda folder: dense(folder, (4096, 4096, 4096), 10, 30, 64), {}),
    "VGG-16, 224 × 224 (plan only)": (
        lambda folder: drawn(folder, network_shapes.vgg16, 4, 5, 224),
        {"per_class": 5},
    ),
}


def timed(folder: Path, which: str, options: dict[str, Any]) -> dict[str, float]:
    """Plan or audit in a process of its own."""
    line = [sys.executable, "-c", TIMED, "net.onnx", "net.npz", which, json.dumps(options)]
    found: dict[str, float] = json.loads(subprocess.check_output(line, cwd=folder, text=True))
    return found


def _took(run: dict[str, float]) -> str:
    return f"{run['seconds']:.1f} ({run['used']:.1f})"


def page(only: str) -> Iterator[str]:
    """Yield the lines of the results, measuring on the way."""
    yield from ("# What a plan says, and what the audit takes", "")
    yield (
        "Made by `python benchmarks/plan_accuracy.py`: seconds (processor seconds), and MiB at the "
        "peak. The ratio is what a plan expects over the audit's wall time."
    )
    yield ""
    yield "| network | plan took | said | expected | audit took | ratio | said, MiB | took, MiB |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for name, (make, options) in SHAPES.items():
        if not fnmatch.fnmatch(name, only):
            continue
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            make(folder)
            plan = timed(folder, "plan", options)
            row = f"| {name} | {_took(plan)} | {plan['least']:.1f}–{plan['most']:.1f} "
            row += f"| {plan['expected']:.1f} "
            if "plan only" in name:
                yield f"{row}| | | {plan['memory']:.0f} | |"
                continue
            audit = timed(folder, "audit", options)
            row += f"| {_took(audit)} | {plan['expected'] / audit['seconds']:.2f} "
            yield f"{row}| {plan['memory']:.0f} | {audit['peak']:.0f} |"
    about = describe()
    used = ("date", "cpu", "cores", "load", "python", "onnxruntime", "numpy")
    yield from ("", ", ".join(f"{key} {about[key]}" for key in used if key in about) + ".")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="*", help="names of networks")
    write_page(page(parser.parse_args().only), RESULT)
