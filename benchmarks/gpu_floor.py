"""Time rank sweeps on a GPU against the least time that its arithmetic and memory allow.

    python benchmarks/gpu_floor.py

Needs CuPy and a CUDA device, and of the package's libraries NumPy and psutil alone, so that it runs
from a checkout: `PYTHONPATH=. python benchmarks/gpu_floor.py`. The floors are modelled for an H200
(60 TFLOP/s in float32, 4.3 TB/s) at 20 iterations for each of the ranks 1 to 50; on another device
the fraction tells little. Prints the driver, the versions, and for each case the time, the floor
and the fraction, as text and JSON. The one small problem is solved three times: with its iterations
recorded as CUDA graphs, with the same kernels launched one by one, and with the products left to
cuBLAS as for large problems.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from unittest import mock

import numpy as np

from onnxmem.arrays import load_cupy
from onnxmem.errors import DeviceError
from onnxmem.factorize import compressor, graphs, iteration, nmf_sweep

RANKS = tuple(range(1, 51))
REPEATS = 5
SMALL = "dense, 400 x 627"
FLOORS_MS = {
    SMALL: ((400, 627), 0.30),
    "conv, 50 images of 14 x 14 x 512": ((9800, 512), 3.4),
    "conv, 50 images of 56 x 56 x 128": ((156800, 128), 8.4),
}
TOGETHER = 32


def activations(xp: Any, m: int, q: int, seed: int) -> Any:
    """Return (m, q) values as a ReLU layer gives them, on the device."""
    rng = np.random.default_rng(seed)
    hidden = np.maximum(rng.standard_normal((m, 40), np.float32), 0)
    noise = 0.3 * rng.standard_normal((m, q), np.float32)
    return xp.asarray(np.maximum(hidden @ rng.standard_normal((40, q), np.float32) + noise, 0))


def milliseconds(xp: Any, work: Callable[[], Any]) -> float:
    """Return the median time of a few runs, after one that compiles the kernels."""
    found = []
    for _ in range(REPEATS + 1):
        xp.cuda.Device().synchronize()
        start = time.perf_counter()
        work()
        xp.cuda.Device().synchronize()
        found.append(1000 * (time.perf_counter() - start))
    return statistics.median(found[1:])


def driver() -> str:
    """Return the version of NVIDIA's driver, as nvidia-smi says it."""
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return said.splitlines()[0].strip() if said else "unknown"


def environment(xp: Any) -> dict[str, Any]:
    """Describe the device and the versions."""
    runtime = xp.cuda.runtime
    return {
        "device": runtime.getDeviceProperties(xp.cuda.Device().id)["name"].decode(),
        "driver": driver(),
        "driver_cuda": runtime.driverGetVersion(),
        "cuda": runtime.runtimeGetVersion(),
        "nvrtc": ".".join(map(str, xp.cuda.nvrtc.getVersion())),
        "cublas": xp.cuda.cublas.getVersion(xp.cuda.Device().cublas_handle),
        "cupy": xp.__version__,
        "numpy": np.__version__,
    }


def row(name: str, measured: float, floor: float) -> dict[str, Any]:
    """Print one case, and return it."""
    fraction = floor / measured
    print(
        f"{name:50} {measured:9.2f} ms, floor {floor:6.2f} ms, fraction {fraction:.3f}", flush=True
    )
    return {"case": name, "ms": measured, "floor_ms": floor, "fraction": fraction}


def cuda() -> Any:
    """Return CuPy, or raise a DeviceError where it has no device."""
    xp: Any = load_cupy()
    try:
        xp.cuda.runtime.getDeviceCount()
    except xp.cuda.runtime.CUDARuntimeError as error:
        raise DeviceError(str(error)) from error
    return xp


def small_rows(xp: Any) -> list[dict[str, Any]]:
    """Measure one small problem: recorded, launch by launch, and with cuBLAS."""
    (m, q), floor = FLOORS_MS[SMALL]
    a = activations(xp, m, q, 0)
    plain = mock.patch.object(graphs, "record", return_value=None)
    library = mock.patch.object(iteration, "_SMALL", 0)
    rows = []
    for name, patches in {"recorded": [], "plain": [plain], "cuBLAS": [plain, library]}.items():
        with ExitStack() as stack:
            for patch in patches:
                stack.enter_context(patch)
            spent = milliseconds(xp, lambda: list(nmf_sweep(a, RANKS)))
        rows.append(row(f"{SMALL}, one, {name}", spent, floor))
    if refusals := graphs._refusals:
        print(f"nothing could be recorded, so all launches were plain: {refusals[0]}")
    return rows


def solve_together(matrices: list[Any]) -> None:
    """Find the factors of all matrices at all ranks; `fit_many` alone only prepares it."""
    fitted: Any = compressor("nmf").fit_many(matrices, RANKS, 0)
    for chain in {id(one.chain): one.chain for one in fitted}.values():
        chain.at(RANKS[-1])


def main() -> int:
    """Measure one problem, and many at once, of each case."""
    try:
        xp = cuda()
    except DeviceError as error:
        print(f"no CUDA device to measure on: {error}", file=sys.stderr)
        return 1
    report: dict[str, Any] = {"environment": environment(xp)}
    print("; ".join(f"{key} {value}" for key, value in report["environment"].items()))
    report["rows"] = small_rows(xp)
    for name, ((m, q), floor) in list(FLOORS_MS.items())[1:]:
        one = activations(xp, m, q, 0)
        spent = milliseconds(xp, lambda a=one: list(nmf_sweep(a, RANKS)))
        report["rows"].append(row(f"{name}, one", spent, floor))
    (m, q), floor = FLOORS_MS[SMALL]
    many = [activations(xp, m, q, seed) for seed in range(TOGETHER)]
    spent = milliseconds(xp, lambda: solve_together(many))
    report["rows"].append(row(f"{SMALL}, {TOGETHER} at once", spent, TOGETHER * floor))
    print(json.dumps(report, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
