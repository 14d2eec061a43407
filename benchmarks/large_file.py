"""What a model of more than 2 GB costs: time and peak memory of every command.

Writes a multilayer perceptron whose weights, 2.2 GB, lie in a file of their own, runs the commands
on it, each in a process of its own, and compares their peak memory with the size of that file.
A second model, of 50 ReLUs and 100 MB, shows what a cut costs compared with loading a model once.
Everything is removed again; the result goes to benchmarks/results/large_file.md.

    python benchmarks/large_file.py [--folder DIR] [--layers 33] [--width 4096]
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

RESULT = Path(__file__).parent / "results" / "large_file.md"
CLASSES, PER_CLASS = 2, 10
BOUNDS = {"inspect": 0.5, "expose": 0.5, "split": 0.5, "inspect --verify": 3.0, "audit": 4.0}
"""The most memory that each command may take, in sizes of the weights."""


@dataclass(frozen=True)
class Cost:
    """What one command took.

    `peak` is its largest resident memory in bytes, pages of mapped files included, which the
    system may drop at any time; `private` is the largest part of it that it may not, looked up
    every 20 ms. `said` is what it wrote.
    """

    code: int
    seconds: float
    peak: int
    private: int
    said: str


def write_model(folder: Path, layers: int, width: int) -> Path:
    """Write a perceptron of `layers` square layers with a ReLU after each."""
    rng = np.random.default_rng(0)
    weights = (rng.normal(size=(width, width)) * np.sqrt(2 / width)).astype(np.float32)
    nodes, tensors, before = [], [], "x"
    with (folder / "weights.data").open("wb") as stream:
        for number in range(layers):
            name = f"w{number}"
            tensors.append(_external(name, (width, width), stream.tell()))
            stream.write(np.roll(weights, number, axis=1).tobytes())
            nodes.append(helper.make_node("MatMul", [before, name], [f"sum{number}"]))
            nodes.append(helper.make_node("Relu", [f"sum{number}"], [f"relu{number}"]))
            before = f"relu{number}"
        tensors.append(_external("w_out", (width, CLASSES), stream.tell()))
        stream.write(np.ascontiguousarray(weights[:, :CLASSES]).tobytes())
    nodes.append(helper.make_node("MatMul", [before, "w_out"], ["scores"]))
    graph = helper.make_graph(
        nodes,
        "large",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", width])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", CLASSES])],
        tensors,
    )
    path = folder / "large.onnx"
    opset = [helper.make_opsetid("", 17)]
    path.write_bytes(
        helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
    )
    return path


def _external(name: str, shape: tuple[int, int], offset: int) -> onnx.TensorProto:
    tensor = onnx.TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape)
    tensor.data_location = TensorProto.EXTERNAL
    entries = {"location": "weights.data", "offset": offset, "length": 4 * shape[0] * shape[1]}
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=str(value))
    return tensor


def write_data(folder: Path, width: int) -> Path:
    """Write samples without labels: the network's own predictions group them."""
    rng = np.random.default_rng(1)
    path = folder / "samples.npz"
    np.savez(path, x=rng.normal(size=(CLASSES * PER_CLASS * 3, width)).astype(np.float32))
    return path


def run(*arguments: object) -> Cost:
    """Run `onnxmem` with `arguments` and take its time and its peak memory."""
    command = [sys.executable, "-m", "onnxmem", *map(str, arguments)]
    start = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        private, done = 0, 0
        while not done:
            private = max(private, _private_bytes(process.pid))
            time.sleep(0.02)
            done, status, usage = os.wait4(process.pid, os.WNOHANG)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - start
        said.seek(0)
        text = said.read().decode(errors="replace")
    return Cost(process.returncode, seconds, usage.ru_maxrss * 1024, private, text)


def _private_bytes(pid: int) -> int:
    """Return the memory of a process that no file backs (Linux)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    return 0
