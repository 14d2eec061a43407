"""Which GPU a child may use."""

from __future__ import annotations

import os
from pathlib import Path

_VISIBLE = "CUDA_VISIBLE_DEVICES"
_DRIVER = Path("/proc/driver/nvidia/gpus")


def gpus() -> list[str]:
    """Return the GPUs that a child may be pinned to; no library is asked."""
    if _VISIBLE in os.environ:
        return [one.strip() for one in os.environ[_VISIBLE].split(",") if one.strip()]
    try:
        return [str(number) for number in range(len(list(_DRIVER.iterdir())))]
    except OSError:
        return []


def pinned(gpu: str) -> dict[str, str]:
    """Return the environment of a child that sees one GPU alone, or what there is."""
    return {_VISIBLE: gpu} if gpu else {}
