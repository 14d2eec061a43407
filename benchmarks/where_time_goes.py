"""Where people wait: processor seconds of whole commands, for two checkouts side by side.

    python benchmarks/where_time_goes.py BEFORE AFTER [--only GLOB] [--turns N]

BEFORE and AFTER are folders of this project; both run in this environment, with the same libraries.
Each command runs in a process of its own, one after the other and with one cache for each checkout;
the least of the turns counts, user and system time together, so that other work on the machine
matters little. What a first run leaves in the cache is measured in one turn. Writes
benchmarks/results/where_time_goes.md.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import network_shapes
import numpy as np
from machine import describe, write_page
from onnx import TensorProto, helper, numpy_helper

RESULT = Path(__file__).parent / "results" / "where_time_goes.md"
MODELS = Path(__file__).parents[1] / "models"
CNN = [f"{MODELS}/mnist-cnn-p40.onnx", "--data", f"{MODELS}/mnist-cnn-p40.npz", "-q"]

SMALL = ["audit", *CNN, "--ranks", "1,2,4", "--no-samples", "--no-cache", "--json", "small.json"]
"""Runs once before anything is measured, so that no checkout is charged with compiling kernels."""

START = """
import importlib.util, sys
sys.path.insert(0, sys.argv[1])
import onnxmem
for name, folder in (("onnxmem.cli", "cli"), ("onnxmem.models", "models")):
    place = f"{sys.argv[1]}/{folder}"
    spec = importlib.util.spec_from_file_location(
        name, f"{place}/__init__.py", submodule_search_locations=[place]
    )
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
sys.modules["onnxmem.cli"].main(sys.argv[2:])
"""
"""Starts the command line of a checkout that is not installed."""


@dataclass(frozen=True)
class Case:
    """One command; `once` where another turn would find its results in the cache."""

    name: str
    line: list[str]
    once: bool = False


def cases(folder: Path) -> Iterator[Case]:
    """Yield what is measured, in an order in which a later one finds what an earlier one left."""
    yield Case("help of a command", ["audit", "--help"])
    audit = ["audit", *CNN, "--json", "r.json"]
    yield Case("default audit of mnist-cnn-p40", audit, once=True)
    yield Case("the same, repeated", audit)
    stored = ["report", f"{folder}/fifty.json", "--html", "fifty.html", "-q"]
    yield Case("report --html of 50 layers, for the first time", stored, once=True)
    yield Case("report --html of 50 layers, later", stored)
    paged = [*audit, "--html", "r.html"]
    yield Case("repeated audit, with a page for the first time", paged, once=True)
    yield Case("repeated audit, with a page", paged)
    mlp = ["audit", f"{folder}/mlp.onnx", "--data", f"{folder}/mlp.npz", "--no-cache", "-q"]
    yield Case("100 classes of 30 samples, small MLP", [*mlp, "--json", "m.json"])
    resnet = [
        "audit",
        f"{folder}/resnet.onnx",
        "--data",
        f"{folder}/resnet.npz",
        "--no-cache",
        "-q",
    ]
    yield Case("network shaped like ResNet-18, 64 x 64", [*resnet, "--json", "t.json"], once=True)
    cnn = ["audit", f"{folder}/cnn.onnx", "--data", f"{folder}/cnn.npz", "--no-cache", "-q"]
    fixed = ["--compress", "nmf", "--batch", "class", "--ranks", "1,2,3,4,6,8,10,12,14,16"]
    fixed += ["--no-samples", "--metric", "fidelity"]
    yield Case("small CNN, NMF, single-class, ten ranks", [*cnn, *fixed, "--json", "c.json"])
    wide = ["audit", f"{folder}/wide.onnx", "--data", f"{folder}/wide.npz", "--no-cache", "-q"]
    yield Case("MLP 4096 wide", [*wide, "--json", "w.json"], once=True)
    vgg = ["audit", f"{folder}/vgg.onnx", "--data", f"{folder}/vgg.npz", "--plan", "-q"]
    yield Case("--plan of a network shaped like VGG-19", [*vgg, "--json", "p.json"])


def make_fifty(folder: Path) -> None:
    """Write a report of fifty layers, which repeats those of a small audit."""
    run(MODELS.parent, SMALL, folder)
    report = json.loads((folder / "small.json").read_text("utf-8"))
    found = report["layers"]
    report["layers"] = [
        found[place % len(found)] | {"tensor": f"layer{place}", "index": place}
        for place in range(50)
    ]
    (folder / "fifty.json").write_text(json.dumps(report), "utf-8")


def make_mlp(folder: Path) -> None:
    """Write a small network that tells 100 clusters apart, and samples of them."""
    clusters(folder / "mlp", 100, 64)


def make_wide(folder: Path) -> None:
    """Write a wide network that tells 10 clusters apart, and samples of them."""
    clusters(folder / "wide", 10, 4096)


def clusters(path: Path, classes: int, width: int) -> None:
    """Write a network of three hidden layers that tells clusters apart, and samples of them."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((classes, 32)).astype(np.float32)
    labels = np.repeat(np.arange(classes), 30)
    x = centres[labels] + 0.1 * rng.standard_normal((len(labels), 32)).astype(np.float32)
    weights, nodes, value = [], [], "x"
    features = x
    for number in range(3):
        scale = np.float32(np.sqrt(2 / features.shape[1]))
        w = rng.standard_normal((features.shape[1], width)).astype(np.float32) * scale
        weights.append(numpy_helper.from_array(w, f"w{number}"))
        nodes.append(helper.make_node("MatMul", [value, f"w{number}"], [f"h{number}"]))
        nodes.append(helper.make_node("Relu", [f"h{number}"], [f"r{number}"]))
        value, features = f"r{number}", np.maximum(features @ w, 0)
    fitted = np.linalg.lstsq(features, np.eye(classes, dtype=np.float32)[labels], rcond=None)[0]
    weights.append(numpy_helper.from_array(fitted.astype(np.float32), "out"))
    nodes.append(helper.make_node("MatMul", [value, "out"], ["logits"]))
    graph = helper.make_graph(
        nodes,
        "mlp",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 32])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", classes])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.with_suffix(".onnx").write_bytes(model.SerializeToString())
    np.savez(path.with_suffix(".npz"), x=x, y=labels)


def make_vgg(folder: Path) -> None:
    """Write a network shaped like VGG-19, and images for it."""
    images, labels = network_shapes.images(4, 3, 224)
    network_shapes.make(network_shapes.vgg19, folder / "vgg.onnx", images, labels)
    np.savez(folder / "vgg.npz", x=images, y=labels)


def make_resnet(folder: Path) -> None:
    """Write a network shaped like ResNet-18, and ten images of each of ten classes."""
    images, labels = network_shapes.images(10, 10, 64)
    network_shapes.make(network_shapes.resnet18, folder / "resnet.onnx", images, labels)
    np.savez(folder / "resnet.npz", x=images, y=labels)


def make_cnn(folder: Path) -> None:
    """Write a small convolutional network, and thirty images of each of ten classes."""
    images, labels = network_shapes.images(10, 30, 28)
    network_shapes.make(network_shapes.small_cnn, folder / "cnn.onnx", images, labels, width=8)
    np.savez(folder / "cnn.npz", x=images, y=labels)


MAKE = {
    "fifty": make_fifty,
    "mlp": make_mlp,
    "wide": make_wide,
    "resnet": make_resnet,
    "cnn": make_cnn,
    "vgg": make_vgg,
}


def run(checkout: Path, line: list[str], folder: Path) -> float:
    """Return the processor seconds that a command takes, started in `folder`."""
    environment = os.environ | {"ONNXMEM_CACHE_DIR": str(folder / "cache")}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-c", START, str(checkout.resolve()), *line],
        cwd=folder,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def page(before: Path, after: Path, only: str, turns: int) -> Iterator[str]:
    """Yield the lines of the results, measuring on the way."""
    yield "# Where people wait"
    yield ""
    yield (
        "Made by `python benchmarks/where_time_goes.py BEFORE AFTER`: processor seconds of whole "
        f"commands, the least of {turns}."
    )
    yield from ("", "| case | before | after | ratio |", "| --- | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        chosen = [one for one in cases(folder) if fnmatch.fnmatch(one.name, only)]
        places = folder / "before", folder / "after"
        for checkout, place in zip((before, after), places, strict=True):
            place.mkdir()
            run(checkout, SMALL, place)
        for file, make in MAKE.items():
            if any(f"/{file}." in word for case in chosen for word in case.line):
                make(folder)
        for case in chosen:
            many = 1 if case.once else turns
            one, other = (
                min(run(checkout, case.line, place) for _ in range(many))
                for checkout, place in zip((before, after), places, strict=True)
            )
            yield f"| {case.name} | {one:.2f} | {other:.2f} | {one / other:.1f} |"
    about = describe()
    used = ("date", "cpu", "cores", "load", "python", "onnxruntime", "numpy")
    yield from ("", ", ".join(f"{key} {about[key]}" for key in used if key in about) + ".")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--only", default="*", help="names of cases")
    parser.add_argument("--turns", type=int, default=2)
    asked = parser.parse_args()
    write_page(page(asked.before, asked.after, asked.only, asked.turns), RESULT)
