"""Hundreds of models that mean harm, each opened by the command: how each ends, and what it costs.

    python benchmarks/hostile_sandbox.py [FOLDER...] [--count N] [--workers N] [--out FILE]

Every model is asked by `inspect --verify` or by `audit`, with `--memory 512M` and a timeout: the
first of all kinds by a command of their own, whose parent is looked at, those from `--fresh N` on
by a fork of a process that has imported everything, which saves most of the time. A run is at
fault that ends with another code than 0 to 4, says none or more than one line where it fails, takes
longer than its timeout and what starting takes, leaves a file, or whose parent holds 300 MB.
Models of the FOLDERs come first, then bombs of every kind, then models that were changed at random.
Exits with 1 where one is at fault. Run it in a scratch folder.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import onnx
from machine import describe, write_page
from onnx import TensorProto, helper, numpy_helper
from onnxmem.cli.entry import main as command

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from tests.fuzz.__main__ import _warm  # noqa: E402
from tests.fuzz.models import changed  # noqa: E402 - from the tree, not from what is installed

OUT = Path(__file__).parent / "results" / "hostile_sandbox.md"
HEAD = '<ir_version: 8, opset_import: ["": 17]> network '
FRESH, WARM, STARTING = 120, 20, 60
"""Seconds that a command may take, and what it may take beyond until it has ended."""

PARENT = 300 * 10**6
LINES = 1

Bomb = Callable[[Path, random.Random], None]


def save(path: Path, text: str, **weights: object) -> None:
    model = onnx.parser.parse_model(HEAD + text)
    model.graph.initializer.extend(
        numpy_helper.from_array(np.asarray(array), name) for name, array in weights.items()
    )
    path.write_bytes(model.SerializeToString())


def classifier(path: Path, way: str, **weights: object) -> None:
    """Write a classifier of six numbers with something on the way that gives a number `z`."""
    text = (
        "(float[n,6] x) => (float[n,3] y) { a = MatMul(x, w) r = Relu(a) "
        f"{way} m = ReduceMax<keepdims = 0>(u) q = MatMul(r, v) y = Add(q, m) }}"
    )
    save(path, text, w=np.ones((6, 8), np.float32), v=np.ones((8, 3), np.float32), **weights)


def huge_constant(path: Path, rng: random.Random) -> None:
    classifier(path, "u = ConstantOfShape(s)", s=[1 << rng.randrange(28, 46)])


def expanded(path: Path, rng: random.Random) -> None:
    sizes = [1 << rng.randrange(10, 20) for _ in range(rng.randrange(2, 4))]
    classifier(path, "u = Expand(o, s)", o=np.float32(0), s=sizes)


def tiled(path: Path, rng: random.Random) -> None:
    classifier(path, "u = Tile(r, s)", s=[1, 1 << rng.randrange(20, 40)])


def ranged(path: Path, rng: random.Random) -> None:
    way = "i = Range(o, s, e) u = Cast<to = 1>(i)"
    classifier(path, way, o=np.int64(0), s=np.int64(1 << rng.randrange(27, 50)), e=np.int64(1))


def of_samples(path: Path, rng: random.Random) -> None:
    """A size that no graph tells, since it follows from the values of samples."""
    way = (
        "t = ReduceMax<keepdims = 0>(x) c = Mul(t, f) i = Cast<to = 7>(c) "
        "k = Reshape(i, one) j = Max(k, few) u = ConstantOfShape(j)"
    )
    many = np.float32(1 << rng.randrange(28, 40))
    classifier(path, way, f=many, one=[1], few=[1 << rng.randrange(28, 36)])


def endless(path: Path, rng: random.Random) -> None:
    text = (
        "(float[n,6] x) => (float[n,3] y) { a = MatMul(x, w) r = Relu(a) l = Loop(turns, go, r)"
        " <body = b (int64 i, bool c, float[n,8] p) => (bool d, float[n,8] q) {"
        " d = Identity(c) q = Relu(p) }> y = MatMul(l, v) }"
    )
    weights = {"w": np.ones((6, 8), np.float32), "v": np.ones((8, 3), np.float32)}
    save(path, text, turns=np.int64(1 << rng.randrange(33, 62)), go=np.array(True), **weights)


def deep(path: Path, rng: random.Random) -> None:
    count = rng.choice((2_000, 20_000, 60_000))
    nodes = [helper.make_node("Relu", [f"t{k}"], [f"t{k + 1}"]) for k in range(count)]
    _written(path, [*nodes, helper.make_node("MatMul", [f"t{count}", "w"], ["y"])], "t0")


def nested(path: Path, rng: random.Random) -> None:
    leaf = helper.make_graph([helper.make_node("Relu", ["x"], ["o"])], "g", [], [_info("o")])
    body = leaf
    for _ in range(rng.choice((5, 15, 22))):
        node = helper.make_node("If", ["go"], ["o"], then_branch=body, else_branch=leaf)
        body = helper.make_graph([node], "g", [], [_info("o")])
    nodes = [helper.make_node("If", ["go"], ["i"], then_branch=body, else_branch=body)]
    _written(path, [*nodes, helper.make_node("MatMul", ["i", "w"], ["y"])], "x", go=True)


def wide(path: Path, rng: random.Random) -> None:
    count = rng.choice((5_000, 30_000))
    nodes = [helper.make_node("Relu", ["x"], [f"r{k}"]) for k in range(count)]
    names = [f"r{k}" for k in range(count)]
    nodes += [helper.make_node("Sum", names, ["s"]), helper.make_node("MatMul", ["s", "w"], ["y"])]
    _written(path, nodes, "x")


def elsewhere(path: Path, rng: random.Random) -> None:
    """Weights that lie where nothing of a model may."""
    save(path, "(float[n,6] x) => (float[n,3] y) { r = Relu(x) y = MatMul(r, w) }")
    model = onnx.load(path)
    tensor = TensorProto(name="w", data_type=1, dims=[6, 3], data_location=TensorProto.EXTERNAL)
    place = rng.choice(
        ("../../../../etc/passwd", "/etc/shadow", "/proc/self/mem", "/dev/zero", "", ".", "link",
         "../../../../proc/self/environ", "m\0n", "/dev/stdin", "C:\\x", "~/.ssh/id_rsa")
    )  # fmt: skip
    if place == "link":
        (path.parent / "link").symlink_to("/etc/passwd")
    tensor.external_data.add(key="location", value=place)
    tensor.external_data.add(key="offset", value=str(rng.choice((0, 8, -8, 1 << 62))))
    model.graph.initializer.append(tensor)
    path.write_bytes(model.SerializeToString())


def claiming(path: Path, rng: random.Random) -> None:
    """Weights that claim to be larger than they are."""
    save(path, "(float[n,6] x) => (float[n,3] y) { r = Relu(x) y = MatMul(r, w) }")
    model = onnx.load(path)
    dims = [6, rng.choice((3, -3, 1 << 33, (1 << 63) - 1))]
    kind = rng.choice((1, 7, 8, 10, 99))
    model.graph.initializer.append(TensorProto(name="w", data_type=kind, dims=dims, raw_data=b"x"))
    path.write_bytes(model.SerializeToString())


def giant_output(path: Path, rng: random.Random) -> None:
    many = 1 << rng.randrange(26, 34)
    save(
        path,
        f"(float[n,6] x) => (float[n,{many}] y) {{ a = Relu(x) m = ReduceMean<axes = [1],"
        " keepdims = 1>(a) y = Expand(m, s) }",
        s=[1, many],
    )


def inflated(path: Path, rng: random.Random) -> None:
    """Convolutions and resizes that make a small picture a huge one."""
    save(
        path,
        "(float[n,6] x) => (float[n,3] y) { i = Reshape(x, p) b = Resize(i, none, f)"
        " r = Relu(b) g = GlobalAveragePool(r) t = Flatten(g) y = MatMul(t, w) }",
        p=[-1, 1, 2, 3], none=np.zeros(0, np.float32),
        f=np.array([1, 1, 1 << rng.randrange(8, 20), 1 << rng.randrange(8, 20)], np.float32),
        w=np.ones((1, 3), np.float32),
    )  # fmt: skip


def garbage(path: Path, rng: random.Random) -> None:
    kind = rng.randrange(4)
    if kind == 0:
        path.write_bytes(rng.randbytes(rng.choice((0, 1, 1000, 1 << 22))))
    elif kind == 1:  # messages within messages
        content = b""
        for _ in range(rng.choice((50, 99, 101, 20_000))):
            content = b"\x32" + _varint(len(content)) + content
        path.write_bytes(b"\x3a" + _varint(len(content)) + content)
    elif kind == 2:  # a length beyond the end
        path.write_bytes(b"\x3a" + _varint(1 << 62) + b"x")
    else:
        path.write_bytes(b"\x0a\x02" * rng.choice((10, 1 << 20)))


def named_oddly(path: Path, rng: random.Random) -> None:
    odd = rng.choice(("\x1b[2J", "a" * (1 << 20), "\u202e", "\n" * 1000, "../x", "<script>"))
    nodes = [helper.make_node("Relu", ["x"], [odd]), helper.make_node("MatMul", [odd, "w"], ["y"])]
    _written(path, nodes, "x")


def mutated(path: Path, rng: random.Random) -> None:
    path.write_bytes(changed(rng))


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def _info(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, 1, ["n", 6])


def _written(path: Path, nodes: list[onnx.NodeProto], given: str, **constants: object) -> None:
    weights = {"w": np.ones((6, 3), np.float32), **constants}
    output = helper.make_tensor_value_info("y", 1, ["n", 3])
    tensors = [numpy_helper.from_array(np.asarray(one), name) for name, one in weights.items()]
    graph = helper.make_graph(nodes, "network", [_info(given)], [output], tensors)
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    path.write_bytes(model.SerializeToString())


BOMBS: tuple[Bomb, ...] = (
    huge_constant, expanded, tiled, ranged, of_samples, endless, deep, nested, wide, elsewhere,
    claiming, giant_output, inflated, garbage, named_oddly, mutated,
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A model in a folder of its own, and what kind it is of."""

    kind: str
    folder: Path
    model: Path
    verify: bool


@dataclass(frozen=True)
class Ended:
    """How a case ended: code, seconds, peaks of the parent and of the child, stderr, faults."""

    case: Case
    code: int
    seconds: float
    parent: int
    child: int
    said: str
    faults: tuple[str, ...]


def cases(folders: list[Path], count: int, scratch: Path) -> Iterator[Case]:
    given = [path for folder in folders for path in sorted(folder.rglob("*.onnx"))]
    for number in range(count):
        folder = scratch / str(number)
        (folder / "tmp").mkdir(parents=True)
        rng = random.Random(number)
        np.savez(
            folder / "d.npz", y=np.arange(60) % 3,
            x=np.random.default_rng(0).normal(size=(60, 6)).astype(np.float32),
        )  # fmt: skip
        path = folder / "m.onnx"
        if number < len(given):
            path.write_bytes(given[number].read_bytes())
            yield Case(f"given: {given[number].name}", folder, path, True)
            continue
        bomb = BOMBS[number % len(BOMBS)]
        bomb(path, rng)
        yield Case(bomb.__name__.replace("_", " "), folder, path, number // len(BOMBS) % 2 == 0)


def run(case: Case, *, fresh: bool) -> Ended:
    """Run the command on a model; it is under a limit of its own, in case the sandbox fails."""
    timeout = FRESH if fresh else WARM
    limits = ["--memory", "512M"] if not case.verify else []
    asked = ["inspect", "m.onnx", "--verify"] if case.verify else ["audit", "m.onnx", "--data"]
    words = [*asked, *([] if case.verify else ["d.npz"]), *limits, "--timeout", str(timeout), "-q"]
    before = {path.name for path in case.folder.iterdir()}
    began = time.monotonic()
    started, parent = (_start if fresh else _fork)(words, case.folder), 0
    while True:
        pid, status, usage = os.wait4(started, os.WNOHANG)
        if pid:
            break
        parent = max(parent, _peak(started)) if fresh else 0
        time.sleep(0.02)
    seconds = time.monotonic() - began
    said = _error(case.folder).read_text("utf-8", "replace")
    left = [path.name for path in case.folder.iterdir() if path.name not in before]
    left += [path.name for path in (case.folder / "tmp").iterdir()]
    code, peak = os.waitstatus_to_exitcode(status), usage.ru_maxrss * 1024
    return Ended(
        case,
        code,
        seconds,
        parent,
        peak,
        said,
        _faults(code, seconds - timeout, parent, said, left),
    )


def _start(words: list[str], folder: Path) -> int:
    """Start the command; return its process."""
    with _error(folder).open("wb") as stderr:
        process = subprocess.Popen(
            ["prlimit", "--data=8589934592", sys.executable, "-m", "onnxmem", *words],
            cwd=folder,
            env=os.environ | _surroundings(folder),
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
    process.returncode = 0  # `run` waits for it
    return process.pid


def _fork(words: list[str], folder: Path) -> int:
    """Be the command in a child of this process; return that."""
    child = os.fork()
    if child:
        return child
    code = 99
    try:
        os.chdir(folder)
        os.environ.update(_surroundings(folder))
        tempfile.tempdir = None
        for number, path in ((1, Path(os.devnull)), (2, _error(folder))):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        resource.setrlimit(resource.RLIMIT_DATA, (8 << 30, 8 << 30))
        command(words, alone=True)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 98
    finally:
        sys.stdout.flush()
        os._exit(code)


def _error(folder: Path) -> Path:
    return folder.parent / f"{folder.name}.err"


def _surroundings(folder: Path) -> dict[str, str]:
    return {"TMPDIR": str(folder / "tmp"), "ONNXMEM_CACHE_SIZE": "0", "OMP_NUM_THREADS": "1"}


def _peak(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


def _faults(code: int, seconds: float, parent: int, said: str, left: list[str]) -> tuple[str, ...]:
    found = []
    if code not in range(5):
        found.append(f"exit {code}")
    if code in (2, 4) and (
        len(said.splitlines()) != LINES or not said.startswith("onnxmem: error")
    ):
        found.append(f"{len(said.splitlines())} lines")
    if "internal error" in said:
        found.append("internal error")
    if seconds > STARTING:
        found.append(f"{seconds:.0f} s beyond its timeout")
    if parent > PARENT:
        found.append(f"parent of {parent / 1e6:.0f} MB")
    return (*found, *(f"left {name}" for name in left[:2]))


def page(ended: list[Ended]) -> Iterator[str]:
    wrong = [one for one in ended if one.faults]
    peak = max(one.parent for one in ended) / 1e6
    yield "# Models that mean harm, in the sandbox\n"
    yield (
        f"{len(ended)} models, each by `inspect --verify` or `audit --memory 512M` with "
        f"`--timeout {FRESH}` or {WARM}: {len(wrong)} at fault, peak of parents {peak:.0f} MB, "
        f"longest {max(one.seconds for one in ended):.0f} s.\n"
    )
    yield "| kind | models | exit codes | slowest | largest child | largest parent |"
    yield "|---|---|---|---|---|---|"
    kinds = defaultdict(list)
    for one in ended:
        kinds[one.case.kind].append(one)
    for kind, found in kinds.items():
        codes = Counter(one.code for one in found)
        largest = max(one.parent for one in found)
        shown = ", ".join(f"{code}: {count}" for code, count in sorted(codes.items()))
        yield (
            f"| {kind} | {len(found)} | {shown} | {max(one.seconds for one in found):.1f} s | "
            f"{max(one.child for one in found) / 1e6:.0f} MB | "
            f"{f'{largest / 1e6:.0f} MB' if largest else '–'} |"
        )
    for one in wrong:
        yield f"\n- {one.case.folder.name} {one.case.kind}: {'; '.join(one.faults)}"
    yield f"\n{', '.join(f'{key}: {value}' for key, value in describe().items())}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="when to stop")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--fresh", type=int, default=24)
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    _warm()
    end, ended = time.monotonic() + arguments.seconds, []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        made = cases(arguments.folders, arguments.count, Path(name))
        with ProcessPoolExecutor(arguments.workers, get_context("fork")) as workers:
            while some := list(itertools.islice(made, 4 * arguments.workers)):
                fresh = len(ended) < arguments.fresh
                for one in workers.map(partial(run, fresh=fresh), some):
                    ended.append(one)
                    last = (one.said.strip().splitlines() or [""])[-1][:150]
                    shown = f"{one.case.folder.name} {one.case.kind}: {one.code}, "
                    shown += f"{one.seconds:.1f} s {' '.join(one.faults)} {last}"
                    print(ascii(shown), flush=True)
                if time.monotonic() > end:
                    break
    write_page(page(ended), arguments.out)
    return int(any(one.faults for one in ended))


if __name__ == "__main__":
    sys.exit(main())
