"""Examines the environment: what is installed, what works, and what would mend the rest."""

from __future__ import annotations

import ctypes.util
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from onnxmem._version import __version__
from onnxmem.arrays import free_memory, load_cupy
from onnxmem.cache import default_store
from onnxmem.data import EXTRAS
from onnxmem.errors import DeviceError, UsageError
from onnxmem.factorize import kernel_name
from onnxmem.runtime import (
    CUDA,
    INSTALL_CPU,
    INSTALL_CUDA,
    WHEELS,
    load_onnxruntime,
    select_device,
    versions,
)
from onnxmem.sandbox.forked import CAN_FORK
from onnxmem.sandbox.landlock import available
from onnxmem.sandbox.limits import data_limit
from onnxmem.sizes import size_text
from onnxmem.text import json_text

State = Literal["ok", "missing", "broken"]

_CUDA_LIBRARIES = (
    *("cuda", "cudart", "cublas", "cublasLt", "curand", "cudnn", "cufft"),
    *("nvrtc", "cusolver"),
)
"""What onnxruntime loads, and what CuPy loads besides."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was examined; `mend` is what repairs it, empty where nothing has to."""

    name: str
    state: State
    detail: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All checks, and the device that `--device auto` takes (None where no audit can run)."""

    checks: tuple[Check, ...]
    device: str | None

    @property
    def usable(self) -> bool:
        """Whether an audit can run here."""
        return self.device is not None

    def to_json(self) -> str:
        """Return the diagnosis as JSON text."""
        values = {"schema": "onnxmem.doctor/1", "usable": self.usable, **asdict(self)}
        return json_text(values)


def diagnose() -> Diagnosis:
    """Examine the environment; raises nothing, whatever is missing."""
    checks = (
        *_packages(),
        _onnxruntime(),
        _kernel(),
        _cuda(),
        *_libraries(),
        *_extras(),
        _memory(),
        _limits(),
        _landlock(),
        _cache(),
    )
    try:
        device = select_device("auto").name
    except DeviceError:
        device = None
    return Diagnosis(checks, device)


def _packages() -> Iterator[Check]:
    yield Check("onnxmem", "ok", f"{__version__} on Python {platform.python_version()}")
    for name, version in versions().items():
        yield Check(name, "ok", version)
    installed = [name for name in WHEELS if _version(name)]
    if len(installed) > 1:
        yield Check(
            "onnxruntime wheels",
            "broken",
            f"{' and '.join(installed)} own the same import name; the last one installed wins",
            f"pip uninstall -y {' '.join(installed)} && {INSTALL_CUDA}",
        )


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _onnxruntime() -> Check:
    try:
        providers = load_onnxruntime().get_available_providers()
    except DeviceError as error:
        return Check("onnxruntime", "broken", str(error), INSTALL_CPU)
    return Check("providers", "ok", ", ".join(providers))


def _kernel() -> Check:
    """Tell what runs the loops of a factorization on the CPU."""
    name = kernel_name(on_device=False)
    if name == "numpy":
        return Check(
            "kernel", "ok", "numpy; numba is about twice as fast", "pip install numba scipy"
        )
    return Check("kernel", "ok", name)


def _cuda() -> Check:
    try:
        device = select_device("cuda")
    except DeviceError as error:
        return Check(CUDA, "missing", str(error))
    with device.scope():
        properties = load_cupy().cuda.runtime.getDeviceProperties(device.index)
        free = free_memory(on_device=True) / 2**30
    return Check(CUDA, "ok", f"{properties['name'].decode()}, {free:.1f} GiB free")


def _libraries() -> Iterator[Check]:
    """Tell which CUDA libraries the system has; wheels may bring their own."""
    for name in _CUDA_LIBRARIES:
        found = ctypes.util.find_library(name) or _in_wheels(name)
        yield Check(f"lib{name}", "ok" if found else "missing", found or "not found")


def _in_wheels(name: str) -> str | None:
    """Return the library of NVIDIA's wheels, which onnxruntime loads from site-packages."""
    folders = [Path(entry) / "nvidia" for entry in sys.path]
    found = (hit for folder in folders for hit in folder.glob(f"*/lib/lib{name}.so*"))
    return next((f"{hit.name} (wheel)" for hit in sorted(found)), None)


def _extras() -> Iterator[Check]:
    """Tell which optional libraries are there, what they are for, and what installs the others."""
    for extra in EXTRAS:
        version = _version(extra.distribution)
        if version is None:
            yield Check(extra.name, "missing", f"{extra.purpose}: optional", extra.install)
        else:
            yield Check(extra.name, "ok", f"{extra.purpose}: {extra.distribution} {version}")


def _memory() -> Check:
    return Check("memory", "ok", f"{free_memory(on_device=False) / 2**30:.1f} GiB free")


def _limits() -> Check:
    """Tell what the process may take that a command opens models in."""
    if not CAN_FORK:
        return Check("sandbox", "missing", "this system cannot fork: models are opened in-process")
    data = size_text(data_limit(None))
    return Check("sandbox", "ok", f"models are opened in a child that may hold {data} of data")


def _landlock() -> Check:
    """Tell whether the kernel keeps that process to the files that were named."""
    found = available()
    if not found.abi:
        return Check("landlock", "missing", f"{found.reason}: the child may read all files")
    network = "no TCP" if found.abi >= 4 else "TCP is open"
    return Check("landlock", "ok", f"ABI {found.abi}: the child uses named files alone, {network}")


def _cache() -> Check:
    mend = "set ONNXMEM_CACHE_DIR to a folder that can be written"
    try:
        store = default_store()
        count, size = store.usage()
        there = next(path for path in (store.folder, *store.folder.parents) if path.exists())
    except (UsageError, OSError) as error:
        return Check("cache", "broken", f"nothing is kept: {error}", mend)
    if store.trouble or not os.access(there, os.W_OK):
        trouble = store.trouble or f"nothing is kept: {there} cannot be written"
        return Check("cache", "broken", trouble, mend)
    return Check("cache", "ok", f"{store.folder}: {count} results, {size_text(size)}")
