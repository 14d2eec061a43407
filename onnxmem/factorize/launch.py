"""Launches of the CUDA kernels, which are compiled at their first launch."""

from __future__ import annotations

from functools import cache
from importlib import resources
from types import ModuleType
from typing import Any

import numpy as np

from onnxmem.arrays import Array, namespace

THREADS = 128
"""Threads of a block."""
BUILDS = (8, 16, 24, 32, 48, 64)
"""Components that the builds of the coordinate sweeps have room for in registers."""
_STEP = 32
"""Of how many components more there is room each, beyond the builds."""
TILE = {"THREADS": 256, "TILE": 16, "DEPTH": 128}
"""What a block of the product works on: see product.cu."""
GROWTH = {"THREADS": 1024, "WIDTH": 32}
"""How a block is divided that grows a problem: see grow.cu."""
IN_PLACE, PUSH, MEASURE = 0, 1, 2
"""What a half-step does: see half_step.cu."""


def room_for(k: int) -> int:
    """Return for how many components there is room where there are `k`."""
    return next((most for most in BUILDS if k <= most), -(-k // _STEP) * _STEP)


def half_step(k: int, size: int, problems: int, *given: Any) -> None:
    """Sweep over at most `k` components of `size` columns; `given` are the kernel's arguments."""
    build = room_for(k) if k <= BUILDS[-1] else 0
    grid = (blocks(size), problems)
    _launch("half_step", "half_step", grid, given, K=build, THREADS=THREADS)


def course(step: str, grid: tuple[int, ...], *given: Any) -> None:
    """Launch one of the kernels begin, judge and carry."""
    _launch("course", step, grid, given, THREADS=THREADS)


def product(
    room: int, left: Array, right: Array, out: Array, rank: Array, gram: Array | None = None
) -> None:
    """Write left right to `out`, and left leftᵀ to `gram` where that is given.

    Args:
        room: the number of components k is at most that.
        left: (p, k, n), or the start of longer memory with that in it.
        right: (p, n, c).
        out: receives (p, k, c).
        rank: (1,) int32, k.
        gram: receives (p, k, k).
    """
    problems, n, c = right.shape
    rows = -(-room // TILE["TILE"])
    of_gram = 0 if gram is None else rows
    grid = (of_gram - (-c // TILE["TILE"]), rows, problems)
    given = (left, right, out if gram is None else gram, out, rank, n, c, of_gram)
    _launch("product", "product", grid, given, **TILE)


def grow(problems: int, *given: Any) -> None:
    """Append a component to each problem; `given` are the kernel's arguments."""
    _launch("grow", "grow", (problems,), given, **GROWTH)


def blocks(size: int) -> int:
    """Return how many blocks of one thread for each of `size` values there are."""
    return -(-size // THREADS)


def _launch(
    file: str, name: str, grid: tuple[int, ...], given: tuple[Any, ...], **constants: int
) -> None:
    arguments = tuple(np.int32(one) if isinstance(one, int) else one for one in given)
    kernel = _kernel(namespace(given[0]), file, name, tuple(constants.items()))
    kernel(grid, (constants["THREADS"],), arguments)


@cache
def _kernel(xp: ModuleType, file: str, name: str, constants: tuple[tuple[str, int], ...]) -> Any:
    options = tuple(f"-D{constant}={value}" for constant, value in constants)
    return xp.RawKernel(source(file), name, options=options)


def kernels_loaded() -> bool:
    """Tell whether this process has loaded any kernel."""
    return _kernel.cache_info().currsize > 0


@cache
def source(file: str) -> str:
    """Return the CUDA source half_step, course, product or grow."""
    return resources.files("onnxmem.factorize").joinpath(f"{file}.cu").read_text()
