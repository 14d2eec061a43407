"""How fast this machine compresses: one short factorization measured, from which others follow."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from onnxmem.arrays import Array
from onnxmem.compression.points import levels
from onnxmem.compression.settings import CurveSettings
from onnxmem.factorize import Compressed, Compressor, relative_error
from onnxmem.factorize.work import fitting_work, product_work

_ROWS, _COLUMNS, _FEW = 1024, 128, 64
"""Of the matrix that is factorized, at most, and rows that are factorized before."""

_WARM_UP = 0.2
"""Seconds below which work is timed a second time: the first time includes warming up."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Seconds of a compressor.

    Attributes:
        fitting: for each multiplication of a fit.
        product: for each multiplication of an approximation.
        value: for each value of the matrix that is approximated and compared.
    """

    fitting: float
    product: float
    value: float

    def fit(self, method: Compressor, shape: tuple[int, int], chosen: Sequence[float]) -> float:
        """Return the seconds of a fit so far that a matrix has some levels."""
        return self.fitting * fitting_work(method, shape, chosen)

    def approximation(self, method: Compressor, shape: tuple[int, int], level: float) -> float:
        """Return the seconds of one approximation."""
        products = self.product * product_work(method, shape, level)
        return products + self.value * shape[0] * shape[1]


def measure_rates(
    method: Compressor, matrix: Array, settings: CurveSettings, on_device: bool
) -> Rates:
    """Factorize a part of `matrix`, and return how fast that was."""
    a = matrix[:_ROWS, :_COLUMNS]
    live = a[a.any(axis=1)][:, a.any(axis=0)] if a.any() else a
    grid = levels(method, settings, max(2, min(live.shape)))
    hard = [level for level in grid if level < min(live.shape)] or list(grid)
    _fit(method, live[:_FEW], grid, hard[:1], settings.seed)  # compiles and loads what it needs
    fitted, fitting = timed(lambda: _fit(method, live, grid, hard, settings.seed), on_device)
    few_seconds, many_seconds = (
        timed(partial(_approximate, fitted, live, level), on_device)[1]
        for level in (hard[0], hard[-1])
    )
    few, many = (product_work(method, live.shape, level) for level in (hard[0], hard[-1]))
    product = max(0.0, many_seconds - few_seconds) / (many - few) if many > few else 0.0
    value = max(few_seconds - product * few, 0.0) / live.size
    return Rates(fitting / fitting_work(method, live.shape, hard), product, value)


def _fit(
    method: Compressor, a: Array, grid: tuple[float, ...], hard: Sequence[float], seed: int
) -> Any:
    fitted = method.fit(a, grid, seed)
    fitted.approximate(a, max(hard))
    return fitted


def _approximate(fitted: Compressed, a: Array, level: float) -> float:
    return relative_error(a, fitted.approximate(a, level))


def timed(work: Callable[[], Any], on_device: bool) -> tuple[Any, float]:
    """Return what `work` returns, and the seconds that it took; short work is done twice.

    On the CPU that is processor time, so that other programs do not count.
    """
    now = time.perf_counter if on_device else time.thread_time
    begin = now()
    result = work()
    seconds = now() - begin
    if seconds >= _WARM_UP:
        return result, seconds
    begin = now()
    return work(), now() - begin
