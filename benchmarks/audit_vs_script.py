"""A whole audit against the script that one would write without this tool.

    python benchmarks/audit_vs_script.py [--network mnist-cnn-p00] [--classes 10] [--skip-script]

NMF on single-class batches of every ReLU layer, at ten ranks. The script cuts with
onnx.utils.extract_model (the network has no residual branches, so that works), factorizes each
matrix with scikit-learn once for each rank, and runs the rest of the network once for each rank.
Both see the same samples. Then the audit chooses its ranks itself, and is compared with one that
measures all of them. Times are processor time, libraries on one thread. Prints a table and writes
it, with the machine and the versions, to benchmarks/results/.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from machine import describe
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

import onnxmem
from onnxmem import graph, models
from onnxmem.compression import curve
from onnxmem.data import draw, load, make_samples
from onnxmem.factorize import default_ranks
from onnxmem.records import Report

RESULT = Path(__file__).parent / "results" / "audit_vs_script.json"
RANKS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
PER_CLASS = 30


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Return what `work` returns, and its processor time in seconds."""
    begin = time.process_time()
    result = work()
    return result, time.process_time() - begin


def batches(path: Path, data: Path, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the samples that the audit draws (classes * PER_CLASS, ...), and their labels."""
    samples = make_samples(load(data), graph.load(path).inputs)
    assert samples.labels is not None
    selection = draw(samples.labels, samples.digests, PER_CLASS, seed=0)
    (x,) = samples.inputs.values()
    chosen = selection.rows[: classes * PER_CLASS]
    return x[chosen], samples.labels[chosen]


def run_script(path: Path, tensors: list[str], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the accuracies (layers, classes, ranks) that a straightforward script finds."""
    model = onnx.load(path)
    given, output = model.graph.input[0].name, model.graph.output[0].name
    labels = np.unique(y)
    found = np.empty((len(tensors), len(labels), len(RANKS)))
    with tempfile.TemporaryDirectory() as folder:
        for layer, tensor in enumerate(tensors):
            head, tail = (str(Path(folder) / f"{part}.onnx") for part in ("head", "tail"))
            onnx.utils.extract_model(path, head, [given], [tensor])
            onnx.utils.extract_model(path, tail, [tensor], [output])
            head_session, tail_session = session(head), session(tail)
            for place, label in enumerate(labels):
                (activations,) = head_session.run(None, {given: x[y == label]})
                for column, rank in enumerate(RANKS):
                    (scores,) = tail_session.run(None, {tensor: approximate(activations, rank)})
                    found[layer, place, column] = (scores.argmax(axis=1) == label).mean()
    return found


def session(path: str) -> onnxruntime.InferenceSession:
    """Compile a file for one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def approximate(activations: np.ndarray, rank: int) -> np.ndarray:
    """Return the activations (n, channels, ...) after a factorization of scikit-learn's."""
    last = np.moveaxis(activations, 1, -1)
    matrix = last.reshape(-1, last.shape[-1])
    factorization = NMF(rank, random_state=0)
    product = factorization.fit_transform(matrix) @ factorization.components_
    return np.ascontiguousarray(np.moveaxis(product.reshape(last.shape), -1, 1), np.float32)


def audit(path: Path, x: np.ndarray, y: np.ndarray, **options: Any) -> Report:
    """Audit with NMF on single-class batches."""
    return onnxmem.audit(path, x, y, compress=["nmf"], batch=["class"], device="cpu", **options)


def accuracies(report: Report) -> np.ndarray:
    """Return the accuracies (layers, classes, ranks) of a report."""
    return np.array([[g.accuracy for g in one.curves[0].groups] for one in report.layers])


def compare_with_script(path: Path, x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """Measure the audit and the script."""
    report, ours = timed(lambda: audit(path, x, y, ranks=RANKS))
    tensors = [one.tensor for one in report.layers]
    with threadpool_limits(1):
        theirs_found, theirs = timed(lambda: run_script(path, tensors, x, y))
    found = accuracies(report)
    mean = np.abs(found.mean(axis=1) - theirs_found.mean(axis=1))
    areas = [
        np.abs(curve.area(RANKS, a, "rank") - curve.area(RANKS, b, "rank"))
        for a, b in zip(found.mean(axis=1), theirs_found.mean(axis=1), strict=True)
    ]
    half = [(one.curves[0].auc_high - one.curves[0].auc_low) / 2 for one in report.layers]
    return {
        "script_s": round(theirs, 2),
        "audit_s": round(ours, 2),
        "speedup": round(theirs / ours, 1),
        "accuracy_difference_max": round(float(mean.max()), 4),
        "accuracy_difference_mean": round(float(mean.mean()), 4),
        "auc_difference_max": round(float(max(areas)), 4),
        "auc_interval_half_width_mean": round(float(np.mean(half)), 4),
    }


def compare_with_full_grid(path: Path, x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """Measure chosen ranks against ten ranks and against all ranks of each layer."""
    audit(path, x, y, ranks=[1])
    ten, ten_seconds = timed(lambda: audit(path, x, y, ranks=RANKS))
    few, few_seconds = timed(lambda: audit(path, x, y, ranks="auto"))
    differences, full_seconds, full_points = [], 0.0, 0
    for one in few.layers:
        chosen = one.curves[0]
        grid = default_ranks(int(chosen.x[-1]))
        full, seconds = timed(lambda n=one.tensor, g=grid: audit(path, x, y, ranks=g, layers=[n]))
        full_seconds, full_points = full_seconds + seconds, full_points + len(grid)
        differences.append(abs(full.layers[0].curves[0].auc - chosen.auc))
    return {
        "ten_ranks_s": round(ten_seconds, 2),
        "auto_s": round(few_seconds, 2),
        "full_grid_s": round(full_seconds, 2),
        "ten_ranks_split": ten.timings,
        "auto_split": few.timings,
        "auto_points": sum(len(one.curves[0].x) for one in few.layers),
        "full_points": full_points,
        "auto_auc_difference_max": round(max(differences), 4),
        "auto_auc_difference_mean": round(float(np.mean(differences)), 4),
    }


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--network", default="mnist-cnn-p00")
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--skip-script", action="store_true", help="compare the ranks alone")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    network = models.network(chosen.network)
    x, y = batches(network.path, network.data_path, chosen.classes)
    found: dict[str, Any] = {"network": chosen.network, "classes": chosen.classes, "ranks": RANKS}
    found |= compare_with_full_grid(network.path, x, y)
    if not chosen.skip_script:
        found |= compare_with_script(network.path, x, y)
    print(json.dumps(found, indent=1))
    RESULT.parent.mkdir(exist_ok=True)
    text = json.dumps({"environment": describe(), "row": found}, indent=1)
    RESULT.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
