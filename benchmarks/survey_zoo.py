"""A zoo of small models for surveys: shipped networks, their weights shaken a little.

    python -m benchmarks.survey_zoo FOLDER [--models 100]

Writes models, data and `zoo.toml`. Each audit of a model takes a second or two of processor time.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
import onnxmem.models as models
from onnx import numpy_helper

QUICK = ("--compress", "nmf", "--batch", "mixed", "--ranks", "1,2", "--per-class", "10")
QUICK += ("--no-samples", "-q")
"""Options that make an audit of one of these models short."""

_BASES = ("vowels-mlp-p00", "vowels-mlp-p40", "vowels-mlp-p100")


def make_zoo(folder: Path, count: int) -> Path:
    """Write models and data, no two models alike; return the manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    rng, lines = np.random.default_rng(0), []
    for name in _BASES:
        with np.load(models.network(name).data_path) as data:
            np.savez(folder / f"{name}.npz", x=data["x"], y=data["y"])
    for number in range(count):
        base = models.network(_BASES[number % len(_BASES)])
        proto = onnx.load(base.path)
        for weight in proto.graph.initializer:
            array = numpy_helper.to_array(weight)
            if array.dtype == np.float32 and array.ndim > 1:
                shaken = array * (1 + 0.01 * rng.standard_normal(array.shape)).astype(np.float32)
                weight.CopyFrom(numpy_helper.from_array(shaken, weight.name))
        onnx.save(proto, folder / f"m{number:03}.onnx")
        data = f"{_BASES[number % len(_BASES)]}.npz"
        lines += ["[[model]]", f'path = "m{number:03}.onnx"', f'data = "{data}"', ""]
    manifest = folder / "zoo.toml"
    manifest.write_text("\n".join(lines), "utf-8")
    return manifest


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", type=int, default=100)
    arguments = parser.parse_args()
    print(make_zoo(arguments.folder, arguments.models))
