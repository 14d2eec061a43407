"""One rank, several matrices: extrapolated accelerated alternating least squares."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from onnxmem.arrays import Array, is_cupy, namespace
from onnxmem.factorize import kernel
from onnxmem.factorize.kernel import advance, sweep
from onnxmem.factorize.target import Target

RATE, GROWTH, CAP_GROWTH, CUT = 0.5, 1.05, 1.01, 1.5
"""Of the push: its first value, its growth, that of its cap, and its cut (Ang & Gillis 2019)."""

LARGEST_SHIFT = 100
"""Components are balanced by this power of two at most, which float32 holds."""

CALM = 2
"""Consecutive iterations with hardly any change after which a problem has finished."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to iterate.

    Attributes:
        tolerance: iterating ends when the error falls by less than this share of itself in two
            consecutive iterations.
        floor: below this relative error the share is of `floor` instead.
        iterations: at most this many for each start.
        sweeps: coordinate sweeps for each half-step.
        exchanges: whether ranks that may be trapped try to exchange a component.
    """

    tolerance: float
    floor: float
    iterations: int
    sweeps: int = 2
    exchanges: bool = True

    def with_iterations(self, iterations: int) -> Self:
        """Return this effort with at most so many iterations."""
        return replace(self, iterations=iterations)

    def looser(self, times: float) -> Self:
        """Return this effort with so many times the tolerance."""
        return replace(self, tolerance=times * self.tolerance)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Solutions A ≈ wᵀ h of several problems.

    Attributes:
        w: (p, k, m) float32 >= 0.
        h: (p, k, q) float32 >= 0.
        loss: (p,), the squared error of exactly these pairs.
    """

    w: Array
    h: Array
    loss: Array

    @property
    def rank(self) -> int:
        """The number of components k."""
        return int(self.w.shape[1])

    def or_better(self, other: Self) -> Self:
        """Return for each problem the better pair of the two, this one where they are equal."""
        return self.replaced(other.loss < self.loss, other)

    def replaced(self, where: Array, other: Self) -> Self:
        """Return `other` for the problems `where` (p,), and this for the rest."""
        if isinstance(where, np.ndarray) and (where.all() or not where.any()):
            return other if where.all() else self
        choose, each = namespace(where).where, where[:, None, None]
        return type(self)(
            choose(each, other.w, self.w),
            choose(each, other.h, self.h),
            choose(where, other.loss, self.loss),
        )

    def padded(self, rank: int) -> Self:
        """Return the same with components of zeros up to `rank`."""
        xp = namespace(self.w)

        def extended(x: Array) -> Array:
            return xp.concatenate([x, xp.zeros((len(x), rank - self.rank, x.shape[2]), x.dtype)], 1)

        return type(self)(extended(self.w), extended(self.h), self.loss)


class Course:
    """How far one problem pushes its steps, and whether it still moves."""

    def __init__(self, effort: Effort, square: float) -> None:
        self.rate, self._cap = RATE, 1.0
        self._least = effort.floor**2 * square
        self._tolerance = 2 * effort.tolerance
        self._last, self._calm = float("inf"), 0

    @property
    def finished(self) -> bool:
        """Whether the error has hardly fallen in consecutive iterations."""
        return self._calm >= CALM

    def judge(self, loss: float) -> float:
        """Take the loss after an iteration; return how far to push h: 0 where w is taken back."""
        if self.finished:
            return 0.0
        push = self.rate
        if loss > self._last:
            self._calm, push = 0, 0.0
            self._cap, self.rate = self.rate, self.rate / CUT
        else:
            calm = self._last - loss <= self._tolerance * max(loss, self._least)
            self._calm = self._calm + 1 if calm else 0
            self.rate = min(self._cap, GROWTH * self.rate)
            self._cap = min(1.0, CAP_GROWTH * self._cap)
        self._last = loss
        return push


def refine(target: Target, w: Array, h: Array, effort: Effort) -> Pairs:
    """Improve pairs w (p, k, m), h (p, k, q), and return the best one measured of each problem.

    After each half-step the factor is pushed further along its own change; when the error rises
    the push is taken back and shortened (E-A-HALS of Ang & Gillis 2019, with its parameters). The
    error is that of the pushed w with the new h, which the products of the h step give for free.
    Problems that have finished wait for the rest of the stack. Each component starts with rows of
    similar size in w and h (see `balanced`).
    """
    if is_cupy(w):
        from onnxmem.factorize import device

        return device.refine(target, w, h, effort)
    if module := kernel.compiled():
        refined: Pairs = module.refine(target, w, h, effort)
        return refined
    w, h = balanced(w, h)
    squares = [float(square) for square in target.square]
    courses = [Course(effort, square) for square in squares]
    ahead_w, ahead_h, old_w, old_h = w, h, w, h
    best = Pairs(w, h, np.full(len(w), np.inf))
    for _ in range(effort.iterations):
        new_w = ahead_w.copy()
        sweep(new_w, _gram(ahead_h), target.times(ahead_h), effort.sweeps)
        ahead_w = advance(new_w, old_w, np.array([c.rate for c in courses], np.float32))
        gram, cross = _gram(ahead_w), target.transposed_times(ahead_w)
        new_h = ahead_h.copy()
        sweep(new_h, gram, cross, effort.sweeps)
        loss = _losses(squares, gram, cross, new_h)
        running = np.array([not course.finished for course in courses])
        best = best.replaced(running & (loss < best.loss), Pairs(ahead_w, new_h, loss))
        judged = [c.judge(x) for c, x in zip(courses, loss.tolist(), strict=True)]
        if all(course.finished for course in courses):
            break
        for number, push in enumerate(judged):
            if push == 0:
                ahead_w[number] = new_w[number]
        ahead_h = advance(new_h, old_h, np.array(judged, np.float32))
        old_w, old_h = new_w, new_h
    return best


def balanced(w: Array, h: Array) -> tuple[Array, Array]:
    """Return w (p, k, m), h (p, k, q) with rows of similar size for each component.

    Pushed steps let one of them grow and the other shrink, in the end beyond what float32 holds.
    Powers of two change no digit of what is found from here (unless values become subnormal).
    """
    xp = namespace(w)
    power_w, power_h = (xp.frexp(x.max(axis=2, keepdims=True))[1] for x in (w, h))
    half = xp.minimum(xp.maximum((power_h - power_w) // 2, -LARGEST_SHIFT), LARGEST_SHIFT)
    one = xp.float32(1)
    return w * xp.ldexp(one, half), h * xp.ldexp(one, -half)


def _gram(factor: Array) -> Array:
    """Return factor factorᵀ of each problem, (p, k, k).

    Of a copy, or NumPy would call the routine for symmetric products: at few components that takes
    twice as long as a plain one.
    """
    return factor @ factor.copy().swapaxes(1, 2)


def _losses(squares: list[float], gram: Array, cross: Array, h: Array) -> np.ndarray:
    """Return ‖A‖² + ⟨gram, h hᵀ⟩ − 2⟨cross, h⟩ of each problem, (p,)."""
    losses = []
    for square, *one in zip(squares, gram, _gram(h), cross, h, strict=True):
        of_product, own, of_data, factor = one
        fit = float(np.vdot(of_product, own)) - 2 * float(np.vdot(of_data, factor))
        losses.append(max(square + fit, 0.0))
    return np.array(losses)
