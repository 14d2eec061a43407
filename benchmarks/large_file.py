"""What a model of more than 2 GB costs: time and peak memory of every command.

    python benchmarks/large_file.py [--folder DIR]

Writes a multilayer perceptron whose weights, just over 2 GiB, lie in a file of their own; runs the
commands on it, each in a process of its own; and compares their peak memory with the size of that
file and with the bounds in `BOUNDS`. The parts that `split` writes are joined by the script in
docs/cut.md, without onnxmem, and compared with the model. A second model, of 50 ReLUs and 105 MB,
shows what 50 cuts cost beside loading it once. All files are removed again; the result goes to
benchmarks/results/large_file.md. Linux only, for its counters of memory.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from onnxmem import graph
from onnxmem.runtime import Session, select_device

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "benchmarks" / "results" / "large_file.md"
CLASSES, PER_CLASS = 2, 10
BOUNDS = {"inspect": 0.5, "expose": 0.5, "split": 0.5, "inspect --verify": 2.0, "audit": 3.0}
"""The most memory that each command may take, in sizes of the weights."""


@dataclass(frozen=True)
class Cost:
    """What one command took.

    `seconds` is time of the clock, `busy` that of the processor. `peak` is the largest resident
    memory in bytes, pages of mapped files included, which the system may drop at any time;
    `private` is the largest part of it that it may not, looked up every 20 ms.
    """

    name: str
    seconds: float
    busy: float
    peak: int
    private: int


def write_model(folder: Path, layers: int, width: int) -> Path:
    """Write a perceptron of `layers` square layers with a ReLU after each."""
    rng = np.random.default_rng(0)
    weights = (rng.normal(size=(width, width)) * np.sqrt(2 / width)).astype(np.float32)
    nodes, tensors, before = [], [], "x"
    with (folder / "weights.data").open("wb") as stream:
        for number in range(layers):
            name = f"w{number}"
            tensors.append(_external(name, (width, width), stream.tell()))
            np.roll(weights, number, axis=1).tofile(stream)
            nodes.append(helper.make_node("MatMul", [before, name], [f"sum{number}"]))
            nodes.append(helper.make_node("Relu", [f"sum{number}"], [f"relu{number}"]))
            before = f"relu{number}"
        tensors.append(_external("w_out", (width, CLASSES), stream.tell()))
        np.ascontiguousarray(weights[:, :CLASSES]).tofile(stream)
    nodes.append(helper.make_node("MatMul", [before, "w_out"], ["scores"]))
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size])
        for name, size in (("x", width), ("scores", CLASSES))
    ]
    content = helper.make_graph(nodes, "large", ends[:1], ends[1:], tensors)
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(content, opset_imports=opset, ir_version=8)
    path = folder / "large.onnx"
    path.write_bytes(model.SerializeToString())
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


def run(name: str, *arguments: object) -> Cost:
    """Run a command of onnxmem and take its time and its peak memory."""
    command = [sys.executable, "-m", "onnxmem", *name.split(), *map(str, arguments), "-q"]
    start, private, done = time.perf_counter(), 0, 0
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        while not done:
            private = max(private, _private_bytes(process.pid))
            time.sleep(0.02)
            done, status, usage = os.wait4(process.pid, os.WNOHANG)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        if process.returncode not in (0, 3):
            raise SystemExit(f"{' '.join(command)} failed: {said.read().decode()}")
    busy = usage.ru_utime + usage.ru_stime
    cost = Cost(name, time.perf_counter() - start, busy, usage.ru_maxrss * 1024, private)
    print(cost, file=sys.stderr)
    return cost


def _private_bytes(pid: int) -> int:
    """Return the memory of a process that no file backs."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    return 0


def run_commands(folder: Path, model: Path, width: int) -> Iterator[Cost]:
    """Run every command on `model`; `folder` is left with what they write."""
    data = write_data(folder, width)
    yield run("inspect", model)
    (folder / "exposed").mkdir()
    yield run("expose", model, "-o", folder / "exposed" / "large.onnx")
    yield run("split", model, "--at", "relu7", "-o", folder / "cut")
    yield run("inspect --verify", model)
    quick = ("--layers", "relu1", "--compress", "nmf,ablation", "--ranks", "1,2,4")
    yield run("audit", model, "--data", data, "--per-class", PER_CLASS, *quick)


def join(folder: Path, model: Path, width: int) -> float:
    """Return by how much the joined parts differ from the model, over its output's scale."""
    (script,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/cut.md").read_text(), re.DOTALL)
    (folder / "join.py").write_text(script)
    x = np.random.default_rng(2).normal(size=(4, width)).astype(np.float32)
    np.savez(folder / "in.npz", x=x)
    arguments = [folder / name for name in ("join.py", "cut", "in.npz", "out.npz")]
    subprocess.run([sys.executable, *map(str, arguments)], check=True)
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {"x": x})
    actual = np.load(folder / "out.npz")["scores"]
    return float(np.abs(actual - expected).max() / np.abs(expected).max())


def cut_costs(folder: Path) -> dict[str, float]:
    """Return the processor's seconds for loading a model of 50 ReLUs, and for cutting it."""
    path = write_model(folder, 50, 724)
    device, costs = select_device("cpu"), {}
    start = time.process_time()

    def lap(name: str) -> None:
        nonlocal start
        costs[name] = time.process_time() - start
        start = time.process_time()

    model = graph.load(path)
    lap("read the model and hash it")
    sites = graph.find_sites(model)
    lap(f"find its {len(sites)} ReLUs")
    cuts = [graph.split(model, site.tensor) for site in sites]
    lap(f"cut it at all {len(cuts)}")
    Session(graph.expose(model, []), device)
    lap("make one session of the whole model, as an audit does")
    for cut in cuts:
        Session(cut.head, device, prepack=False)
        Session(cut.tail, device, prepack=False)
    lap(f"make the {2 * len(cuts)} sessions of all heads and tails, as inspect --verify does")
    return costs


def report(size: int, costs: list[Cost], joined: float, cutting: dict[str, float]) -> str:
    """Return the result as Markdown."""
    rows = [
        f"| `{cost.name}` | {cost.seconds:.1f} | {cost.busy:.1f} | {cost.peak / size:.2f} "
        f"| {cost.private / size:.2f} | {BOUNDS[cost.name]:.1f} |"
        for cost in costs
    ]
    laps = [f"| {name} | {seconds:.2f} |" for name, seconds in cutting.items()]
    return "\n".join(
        (
            "# A model of more than 2 GB",
            "",
            f"Measured by `python benchmarks/large_file.py` on {datetime.date.today()}: "
            f"{platform.machine()}, {os.cpu_count()} cores that other work shared, Python "
            f"{platform.python_version()}, onnxruntime {onnxruntime.__version__}. One run each.",
            "",
            f"The weights are {size:,} bytes in one external file. Memory is given in sizes of "
            "that file: the peak counts pages of mapped files, which the system may drop; the "
            "private part is what it may not.",
            "",
            "| command | seconds | processor's seconds | peak | private | bound of the peak |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
            "The two parts that `split` wrote, joined by the script in docs/cut.md, differ from "
            f"the model by {joined:.1e} of its output's scale.",
            "",
            "What 50 cuts cost beside loading a model once (50 ReLUs, 105 MB):",
            "",
            "| step | processor's seconds |",
            "|---|---|",
            *laps,
            "",
        )
    )


def main() -> None:
    """Measure, write the result, and fail where a bound is not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", help="where to write 8 GB for a while")
    parser.add_argument("--width", type=int, default=8192, help="of the 8 layers")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="large-file-", dir=options.folder) as name:
        folder = Path(name)
        model = write_model(folder, 8, options.width)
        size = model.with_name("weights.data").stat().st_size
        costs = list(run_commands(folder, model, options.width))
        joined = join(folder, model, options.width)
        (folder / "many").mkdir()
        cutting = cut_costs(folder / "many")
    text = report(size, costs, joined, cutting)
    RESULT.write_text(text)
    print(text)
    if over := [cost.name for cost in costs if cost.peak > BOUNDS[cost.name] * size]:
        raise SystemExit(f"more memory than promised: {', '.join(over)}")


if __name__ == "__main__":
    main()
