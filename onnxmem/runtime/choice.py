"""Which device `--device` takes: one on which a session really starts, or why there is none."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from onnxmem.arrays import load_cupy
from onnxmem.errors import DeviceError, UsageError
from onnxmem.runtime.complaints import plain
from onnxmem.runtime.device import CPU, CUDA, Device
from onnxmem.runtime.library import FATAL, INSTALL_CUDA, WHEELS, load_onnxruntime
from onnxmem.runtime.session import Session


def select_device(wanted: str = "auto") -> Device:
    """Return the device that `wanted` names: `auto`, `cpu`, `cuda` or `cuda:N`.

    `auto` takes CUDA where a session really starts on it, and else the CPU; `reason` says why.

    Raises:
        UsageError: `wanted` is none of these.
        DeviceError: CUDA was asked for by name and cannot be used; the message names the cause.
    """
    match = re.fullmatch(r"auto|cpu|cuda(?::(\d+))?", wanted)
    if match is None:
        raise UsageError(f"unknown device {wanted!r}: use auto, cpu, cuda or cuda:N")
    if wanted == "cpu":
        load_onnxruntime()
        return Device(CPU, 0, "asked for")
    try:
        index = int(match[1] or 0)
        _check_cuda(index)
    except DeviceError as error:
        load_onnxruntime()
        if wanted != "auto":
            raise
        return Device(CPU, 0, f"no CUDA: {error}")
    return Device(CUDA, index, "asked for" if wanted != "auto" else "CUDA works here")


def _check_cuda(index: int) -> None:
    """Start a small session on CUDA, or raise a DeviceError that names what is missing."""
    onnxruntime = load_onnxruntime()
    if CUDA not in onnxruntime.get_available_providers():
        raise DeviceError(
            "the installed onnxruntime has no CUDA provider; install the other wheel with: "
            f"pip uninstall -y {' '.join(WHEELS)} && {INSTALL_CUDA}"
        )
    cupy = load_cupy()
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise DeviceError(
            f"no usable CUDA driver ({error}); install NVIDIA's driver, or use --device cpu"
        ) from error
    if index >= count:
        raise DeviceError(f"there is no device cuda:{index}: this machine has {count}")
    onnxruntime.set_default_logger_severity(FATAL)  # 1.31 warns of CUDA at each session
    with contextlib.redirect_stdout(io.StringIO()):  # it prints what `onnxmem doctor` tells
        onnxruntime.preload_dlls()
    device = Device(CUDA, index, "probe")
    with _usable(device), device.scope():
        # Needs what CuPy compiles and solves with, which it loads no sooner.
        ones = cupy.linalg.eigh(cupy.eye(2, dtype=np.float32))[0]
        Session(_Bytes(_IDENTITY), device).run({"x": ones})


@contextlib.contextmanager
def _usable(device: Device) -> Iterator[None]:
    """Turn whatever fails while a device is tried into a DeviceError."""
    try:
        yield
    except DeviceError:
        raise
    except Exception as error:
        raise DeviceError(f"{device.name} does not work: {plain(str(error))}") from error


@dataclass(frozen=True, slots=True)
class _Bytes:
    proto: bytes
    weights: Path | None = None
    source: str = "the probe"


# The ONNX model y = Identity(x), float32 of one free axis, IR 8, opset 13.
_IDENTITY = bytes.fromhex(
    "08083a390a100a017812017922084964656e746974791201675a100a0178120b"
    "0a09080112050a0312016e62100a0179120b0a09080112050a0312016e42040a00100d"
)
