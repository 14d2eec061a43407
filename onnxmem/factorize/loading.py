"""What the first use of the innermost loops may take a while for."""

from __future__ import annotations

from pathlib import Path

from onnxmem.factorize import launch
from onnxmem.factorize.kernel import compiled


def first_use(on_device: bool) -> str:
    """Return what will be compiled before the loops run, in words; empty where all is there."""
    if on_device:
        fresh = not launch.kernels_loaded()
        return "loading the CUDA kernels; the first time on a machine they are compiled" * fresh
    module = compiled()
    if module is None or module.is_loaded():
        return ""
    kept = any(Path(module.folder()).glob("*.nbi"))
    return "" if kept else "compiling kernels, once for a machine"
