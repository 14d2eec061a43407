"""The library itself: onnxruntime imported, and what to install where that fails.

The only module that imports onnxruntime. It does so when it is first needed, so that everything
else of the package works, and explains itself, without it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from importlib import metadata
from types import ModuleType

from onnxmem.errors import DeviceError

INSTALL_CPU = "pip install onnxruntime"
INSTALL_CUDA = "pip install 'onnxruntime-gpu[cuda,cudnn]' 'cupy-cuda13x[ctk]'"
"""The lines that install what the extras `cpu` and `cuda` name."""

_OLDEST = (1, 26)
"""Before it outputs that are inputs come back damaged, and it takes no tensors by DLPack."""

FATAL = 4
"""The severity from which on onnxruntime writes to stderr; what it says of a session is raised."""


WHEELS = ("onnxruntime", "onnxruntime-gpu")
"""Distributions that own the import name `onnxruntime`; only one of them may be installed."""


def versions(others: Sequence[str] = ()) -> dict[str, str]:
    """Return the versions of the libraries that results may depend on, and of `others`."""
    found = {}
    for name in (*WHEELS, "onnx", "onnx-ir", "numpy", "cupy-cuda13x", *others):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def load_onnxruntime() -> ModuleType:
    """Import onnxruntime, with the telemetry of its wheels turned off.

    Raises:
        DeviceError: it is not installed, or too old, or its libraries do not load.
    """
    # On Windows the call below turns it off; elsewhere only this does, before the import.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        import onnxruntime
    except ImportError as error:
        raise DeviceError(
            f"onnxruntime cannot be imported ({error}); install it with: "
            f"{INSTALL_CPU}, or on a machine with an NVIDIA GPU: {INSTALL_CUDA}"
        ) from error
    if not hasattr(onnxruntime, "InferenceSession"):
        raise DeviceError(
            "the installation of onnxruntime is broken (two wheels share its name); mend it with: "
            f"pip uninstall -y onnxruntime onnxruntime-gpu && {INSTALL_CPU}"
        )
    if tuple(map(int, onnxruntime.__version__.split(".")[:2])) < _OLDEST:
        raise DeviceError(
            f"onnxruntime {onnxruntime.__version__} is too old, it returns damaged outputs; "
            "install a newer one with: pip install -U onnxruntime, or onnxruntime-gpu"
        )
    onnxruntime.disable_telemetry_events()
    module: ModuleType = onnxruntime
    return module
