"""What results may depend on besides what is asked: code, libraries, processor. Imports nothing."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import platform
import sys
from collections.abc import Collection
from pathlib import Path

from onnxmem._version import __version__

_PACKAGE = Path(__file__).parents[1]
_CODE = frozenset({".py", ".cu", ".cuh", ".so", ".pyd"})
_TEMPLATES = frozenset({".html", ".css", ".js"})
_DISTRIBUTIONS = (".dist-info", ".egg-info", ".egg-link")
_TUNING = ("BLIS_", "GOTO_", "MKL_", "NPY_", "NUMBA_", "OMP_", "OPENBLAS_", "ORT_", "VECLIB_")
"""How variables begin that make libraries choose other kernels."""
_HARMLESS = "ORT_DISABLE_TELEMETRY"
"""Set by this package itself."""


@functools.cache
def code_identity() -> str:
    """Return a hash of all code of this package: after an edit no older result is used."""
    return _hash_of_files(_CODE)


@functools.cache
def templates_identity() -> str:
    """Return a hash of all that pages are made from besides code."""
    return _hash_of_files(_TEMPLATES)


def _hash_of_files(suffixes: Collection[str]) -> str:
    digest = hashlib.sha256(__version__.encode())
    for path in sorted(path for path in _PACKAGE.rglob("*") if path.suffix in suffixes):
        digest.update(f"{path.relative_to(_PACKAGE).as_posix()}\n".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


@functools.cache
def installed() -> tuple[str, ...]:
    """Return names and versions of all installed distributions, as their folders are called."""
    found: set[str] = set()
    for place in sys.path:
        try:
            names = os.listdir(place or ".")
        except OSError:
            continue
        found.update(name for name in names if name.endswith(_DISTRIBUTIONS))
    return tuple(sorted(found))


@functools.cache
def machine() -> tuple[object, ...]:
    """Return what chooses among kernels that round differently, on the CPU."""
    tuning = {name: value for name, value in os.environ.items() if name.startswith(_TUNING)}
    tuning.pop(_HARMLESS, None)
    system = platform.python_version(), platform.system(), platform.machine()
    return *system, _processor(), sorted(tuning.items())


def _processor() -> list[str]:
    """Return model and instruction sets of the processor, as far as the system tells them."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").partition("\n\n")[0].splitlines()
    except (OSError, ValueError):
        return [platform.processor()]
    told = ("model name", "flags", "CPU part", "CPU implementer", "Features")
    return [line for line in lines if line.startswith(told)]


def may_have_cuda() -> bool:
    """Tell whether onnxruntime may have a provider for CUDA, without importing it."""
    try:
        found = importlib.util.find_spec("onnxruntime")
    except (ImportError, ValueError):
        return True
    places = [] if found is None else found.submodule_search_locations or []
    return any(list(Path(place).glob("capi/*providers_cuda*")) for place in places)
