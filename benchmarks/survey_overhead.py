"""What Dask costs a survey, beside a plain pool of processes: for each model, and to begin with.

    python -m benchmarks.survey_overhead [--models 100] [--rounds 3] [--small 1.5]

Surveys of models that cost nothing, in turn on a pool of two processes and on a local cluster of
two workers: seconds of processor time of all that hands models out (the survey, the workers, the
scheduler), children apart, and the wall clock. Each child sleeps for as long as an audit of a small
model takes, `--small`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

WATCH = Path(__file__).parent / "survey_watch"


@contextmanager
def pool() -> Iterator[Executor]:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as made:
        yield made


@contextmanager
def dask() -> Iterator[Executor]:
    import distributed

    with (
        distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client.get_executor(pure=False)


def used() -> float:
    """Return seconds of processor time of this process and of those that run tasks for it."""
    import psutil

    total, this = 0.0, psutil.Process()
    for process in (this, *this.children(recursive=True)):
        try:
            if process is this or "spawn_main" in " ".join(process.cmdline()):
                times = process.cpu_times()
                total += times.user + times.system
        except psutil.Error:
            continue
    return total


def measured(make: Callable[[], object], models: int) -> tuple[float, float, float]:
    """Return what a survey costs: to begin with, then for each model in processor time and wall."""
    import onnxmem

    before = used()
    with make() as executor, tempfile.TemporaryDirectory() as folder:  # type: ignore[attr-defined]

        def survey(count: int, name: str) -> None:
            entries = [{"path": f"{name}{n}.onnx", "data": "d.npz"} for n in range(count)]
            onnxmem.survey(entries, out=Path(folder) / name, executor=executor)

        survey(4, "warm")
        begun, begin = used(), time.perf_counter()
        survey(models, "m")
        wall = time.perf_counter() - begin
        return begun - before, (used() - begun) / models, wall / models


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--small", type=float, default=1.5)
    arguments = parser.parse_args()
    found: dict[str, list[tuple[float, float, float]]] = {"pool": [], "Dask": []}
    for _ in range(arguments.rounds):
        found["pool"].append(measured(pool, arguments.models))
        found["Dask"].append(measured(dask, arguments.models))
    print(f"{arguments.models} models, {arguments.rounds} rounds in turn, medians (least to most)")
    print("| | to begin with, s | a model, ms of processor time | a model, ms of the wall clock |")
    print("|---|---|---|---|")
    middle = {}
    for name, runs in found.items():
        columns = [[run[place] * (1000 if place else 1) for run in runs] for place in range(3)]
        cells = [f"{statistics.median(c):.1f} ({min(c):.1f} to {max(c):.1f})" for c in columns]
        middle[name] = statistics.median(columns[1])
        print(f"| {name} | {' | '.join(cells)} |")
    more = middle["Dask"] - middle["pool"]
    share = more / 10 / arguments.small
    print(f"Dask takes {more:.1f} ms more, {share:.1f} % of a model of {arguments.small} s")


if __name__ == "__main__":
    if "ONNXMEM_NO_AUDITS" not in os.environ:
        small = sys.argv[sys.argv.index("--small") + 1] if "--small" in sys.argv else "1.5"
        os.environ |= {"ONNXMEM_NO_AUDITS": small, "PYTHONPATH": str(WATCH)}
        again = [sys.executable, "-m", "benchmarks.survey_overhead", *sys.argv[1:]]
        os.execv(sys.executable, again)
    main()
