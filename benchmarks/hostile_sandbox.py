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
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from hostile_models import BOMBS
from machine import describe, write_page
from onnxmem.cli.entry import main as command

OUT = Path(__file__).parent / "results" / "hostile_sandbox.md"
FRESH, WARM, STARTING = 120, 20, 60
"""Seconds that a command may take, and what it may take beyond until it has ended."""

PARENT = 300 * 10**6
LINES = 1


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
    from tests.fuzz.__main__ import _warm

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
