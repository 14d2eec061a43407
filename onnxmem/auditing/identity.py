"""What the curves of a layer depend on, as one hash.

Everything that may change a number goes in, so that no result is used in place of another:
model, samples and how they are grouped, settings, seed, device, libraries, and the code of this
package itself. What only chooses among results (layers, compressors) or judges them (gates) stays
out. A memory budget that was asked for is in, since it decides which samples run together; what
happens to be free is not.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

from onnxmem._version import __version__
from onnxmem.arrays import load_cupy, to_host
from onnxmem.compression.experiment import Experiment
from onnxmem.data import Samples
from onnxmem.network.evaluation import Evaluation
from onnxmem.runtime import Device

_WITHOUT_INFLUENCE = frozenset(
    {"layers", "compress", "split", "device", "fail_under", "min_accuracy", "baseline", "max_drop"}
)
"""Settings that change no curve, or whose effect is part of the identity already."""

_CODE = frozenset({".py", ".cu", ".cuh", ".so", ".pyd"})


def identify(
    experiment: Experiment,
    samples: Samples,
    settings: Mapping[str, Any],
    environment: Mapping[str, Any],
) -> str:
    """Return a SHA-256 of what the results of all layers of an audit depend on.

    Args:
        experiment: what the layers have in common.
        samples: those that the audit chose from.
        settings: all of the audit, resolved.
        environment: device and versions, as in the report.
    """
    network = experiment.evaluation.network
    facts = {
        "code": _code(),
        "environment": {k: v for k, v in environment.items() if k != "device_reason"},
        "hardware": _hardware(network.device),
        "model": (network.model.sha256, network.output, network.form, network.batch),
        "settings": {k: v for k, v in settings.items() if k not in _WITHOUT_INFLUENCE},
        "samples": _samples(experiment.evaluation, samples),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=repr).encode()).hexdigest()


_PACKAGE = Path(__file__).parents[1]


@functools.cache
def _code() -> str:
    """Return a hash of all code of this package: after an edit no older result is used."""
    digest = hashlib.sha256(__version__.encode())
    for path in sorted(path for path in _PACKAGE.rglob("*") if path.suffix in _CODE):
        digest.update(f"{path.relative_to(_PACKAGE).as_posix()}\n".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _hardware(device: Device) -> list[Any]:
    """Return what chooses among kernels that round differently."""
    config: Any = np.show_config(mode="dicts")
    blas = config["Build Dependencies"]["blas"]
    found = [platform.system(), platform.machine(), blas["name"], blas["version"]]
    found.append(config.get("SIMD Extensions"))
    kernels = {
        library["architecture"] for library in threadpool_info() if "architecture" in library
    }
    found.append(sorted(map(str, kernels)))
    if device.is_cuda:
        cuda = load_cupy().cuda.runtime
        name = cuda.getDeviceProperties(device.index)["name"].decode()
        found += [name, cuda.runtimeGetVersion(), cuda.driverGetVersion()]
        found += [_cuda_library("cublas", cuda.runtimeGetVersion() // 1000)]
        found += [_cuda_library("cudnn", _CUDNN)]
    return found


_CUDNN = 9
"""The generation of cuDNN that onnxruntime is built for."""


def _cuda_library(name: str, major: int) -> list[int]:
    """Return the version of a library of CUDA that is loaded; empty where it is not found.

    Source: `cublasGetProperty` and `cudnnGetProperty` of NVIDIA's references.
    """
    windows = platform.system() == "Windows"
    file = f"{name}64_{major}.dll" if windows else f"lib{name}.so.{major}"
    try:
        library = ctypes.CDLL(file, mode=ctypes.DEFAULT_MODE | getattr(os, "RTLD_NOLOAD", 0))
        ask = getattr(library, f"{name}GetProperty")
    except (OSError, AttributeError):
        return []
    parts = [ctypes.c_int() for _ in range(3)]
    for number, part in enumerate(parts):
        ask(number, ctypes.byref(part))
    return [part.value for part in parts]


def _samples(evaluation: Evaluation, samples: Samples) -> str:
    """Return a hash of the chosen samples, their batches, and what counts as correct.

    The digests of samples are those of the data as they were given, rounded, so what the model
    takes comes beside them.
    """
    selection = evaluation.selection
    digest = hashlib.sha256(samples.digests[selection.rows].tobytes())
    for name, array in sorted({**evaluation.inputs, **evaluation.shared}.items()):
        digest.update(repr((name, array.dtype.str, array.shape)).encode())
        digest.update(_bytes(to_host(array)))
    for batch in (*selection.single, *selection.mixed):
        digest.update(repr((batch.label, len(batch.rows))).encode())
        digest.update(batch.rows.astype("<i8").tobytes())
    digest.update(evaluation.truth.astype("<i8").tobytes())
    digest.update(repr((evaluation.accuracy, evaluation.independent)).encode())
    return digest.hexdigest()


def _bytes(array: np.ndarray) -> bytes:
    return repr(array.tolist()).encode() if array.dtype == object else array.tobytes()
