"""What results depend on, as one hash, and as a report tells it.

Everything that may change a number goes in, so that no result is used in place of another: model,
device, libraries, and the code of this package itself; beside what those add who ask.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import platform
from collections.abc import Mapping
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

from onnxmem.arrays import load_cupy
from onnxmem.cache import code_identity
from onnxmem.factorize import kernel_name
from onnxmem.network.network import Network
from onnxmem.network.opening import Opened
from onnxmem.runtime import Device, versions


def environment(opened: Opened | None) -> dict[str, Any]:
    """Return what the numbers may depend on besides model, data and settings.

    `opened` is None where no device was chosen and no sample read, since nothing ran.
    """
    device = None if opened is None else opened.network.device
    return {
        "provider": None if device is None else device.provider,
        "device": None if device is None else device.name,
        "device_reason": "nothing was run" if device is None else device.reason,
        "kernel": None if device is None else kernel_name(device.is_cuda),
        "python": platform.python_version(),
        **versions(() if opened is None else opened.samples.libraries),
    }


def identify(device: Device, environment: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """Return a SHA-256 of what results depend on.

    Args:
        device: where they are computed.
        environment: versions, as in a report.
        facts: all else.
    """
    known = {
        "code": code_identity(),
        "environment": {k: v for k, v in environment.items() if k != "device_reason"},
        "hardware": _hardware(device),
        **facts,
    }
    return hashlib.sha256(json.dumps(known, sort_keys=True, default=repr).encode()).hexdigest()


def model_facts(network: Network) -> tuple[Any, ...]:
    """Return what results depend on of a network."""
    return network.model.sha256, network.output, network.form, network.batch


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
