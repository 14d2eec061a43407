"""One iteration on a CUDA device: its memory, its launches, and the graph that repeats them.

Large products are left to cuBLAS. Where an iteration takes no longer than its launches, it makes
its products with a kernel of its own, and is recorded as a graph. The rank lies on the device, so
one graph serves all ranks that its build of the sweeps has room for.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from onnxmem.arrays import Array, namespace
from onnxmem.factorize import graphs, launch
from onnxmem.factorize.refine import Effort, Pairs
from onnxmem.factorize.target import Target

_SMALL = 1 << 28
"""Operations of an iteration's products with A up to which its launches are taken to cost more."""


@dataclass(frozen=True, slots=True)
class _Side:
    """The memory of one factor, (p, k, size) each at the start of what there is room for.

    Attributes:
        size: its columns.
        ahead: from where a half-step starts.
        last: what the last one found.
        fresh: what this one finds; the same memory as `last` for w.
        best: of the best pair.
        cross: its products with A, where they are not cuBLAS's to allocate.
    """

    size: int
    ahead: Array
    last: Array
    fresh: Array
    best: Array
    cross: Array

    @classmethod
    def of(cls, xp: Any, values: int, size: int, *, apart: bool, small: bool) -> Self:
        """Allocate for `values` of the factor; `fresh` apart from `last` or not."""
        ahead, last, best = (xp.empty(values, np.float32) for _ in range(3))
        fresh = xp.empty(values, np.float32) if apart else last
        return cls(size, ahead, last, fresh, best, xp.empty(values if small else 0, np.float32))


class Iteration:
    """Runs iterations for problems of one shape, from pairs given to `begin` on."""

    def __init__(self, target: Target, room: int, sweeps: int, *, small: bool) -> None:
        """Allocate for at most `room` components; nothing is allocated later where `small`."""
        xp = self._xp = namespace(target.left)
        p, m, q = target.shape
        self._problems, self._room, self._sweeps = p, room, sweeps
        self._small, self._graph, self._ran = small, None, False
        self._w = _Side.of(xp, p * room * m, m, apart=False, small=small)
        self._h = _Side.of(xp, p * room * q, q, apart=True, small=small)
        own = p * room if small else 0
        self._gram = xp.empty(own * room, np.float32)
        self._between = xp.empty(own * target.left.shape[2], np.float32)
        self._partial = xp.empty((p, launch.blocks(q)), np.float64)
        self._state, self._limits = xp.empty((p, 3), np.float32), xp.empty(2, np.float32)
        self._loss, self._rate, self._push = (xp.empty(p, np.float32) for _ in range(3))
        self._rank, self._improved = xp.empty(1, np.int32), xp.empty(p, np.int32)
        self.finished: Array = xp.empty(p, np.int32)
        """(p,) int32: which problems have finished."""

    def begin(self, w: Array, h: Array, effort: Effort) -> None:
        """Start from the pairs w (p, k, m) and h (p, k, q)."""
        values = max(w.size, h.size)
        limits = np.float32(2 * effort.tolerance), np.float32(effort.floor**2)
        places = [(side.ahead, side.last, side.best) for side in (self._w, self._h)]
        kept = (self._state, self._loss, self._rate, self.finished, self._rank, self._limits)
        sizes = (self._problems, w.shape[1], self._w.size, self._h.size)
        given = (w, h, *places[0], *places[1], *kept, *sizes, *limits)
        launch.course("begin", (launch.blocks(values),), *given)

    def run(self, target: Target, k: int) -> None:
        """Iterate once with `k` components: by a graph from the second time on, where `small`."""
        if self._small and self._ran and self._graph is None:
            self._graph = graphs.record(self._xp, lambda: self._step(target, k))
        self._ran = True
        if self._graph is None:
            self._step(target, k)
        else:
            self._graph.launch()

    def best(self, k: int) -> Pairs:
        """Return the best pairs that were measured, of `k` components."""
        w, h = (self._filled(side, side.best, k).copy() for side in (self._w, self._h))
        return Pairs(w, h, self._loss.copy())

    def _step(self, target: Target, k: int) -> None:
        products = self._own_products if self._small else self._library_products
        forth = (target.left_t,) if target.right_t is None else (target.right_t, target.left_t)
        back = (target.left,) if target.right is None else (target.left, target.right)
        self._half_step(self._w, *products(self._h, self._w, forth, k), launch.PUSH)
        self._half_step(self._h, *products(self._w, self._h, back, k), launch.MEASURE)
        self._judge(target.square)
        self._carry()

    def _own_products(
        self, given: _Side, wanted: _Side, factors: tuple[Array, ...], k: int
    ) -> tuple[Array, Array]:
        """Return given givenᵀ and given A, of which `factors` are one or two, of any rank k."""
        first = self._between if len(factors) == 2 else wanted.cross
        launch.product(self._room, given.ahead, factors[0], first, self._rank, self._gram)
        if len(factors) == 2:
            launch.product(self._room, first, factors[1], wanted.cross, self._rank)
        return self._gram, wanted.cross

    def _library_products(
        self, given: _Side, wanted: _Side, factors: tuple[Array, ...], k: int
    ) -> tuple[Array, Array]:
        """Do the same by cuBLAS."""
        factor = self._filled(given, given.ahead, k)
        cross = factor
        for one in factors:
            cross = cross @ one
        return factor @ factor.swapaxes(1, 2), cross

    def _half_step(self, side: _Side, gram: Array, cross: Array, mode: int) -> None:
        flags = (self._rate, self.finished, self._partial, self._rank)
        given = (side.ahead, side.fresh, gram, cross, *flags, side.size, self._sweeps, mode)
        launch.half_step(self._room, side.size, self._problems, *given)

    def _judge(self, square: Array) -> None:
        kept = (self._limits, self._state, self._loss, self._rate, self._push, self._improved)
        sizes = (self._problems, self._partial.shape[1])
        grid = (launch.blocks(self._problems),)
        launch.course("judge", grid, self._partial, square, *kept, self.finished, *sizes)

    def _carry(self) -> None:
        w, h = self._w, self._h
        factors = (w.ahead, w.last, w.best, h.ahead, h.fresh, h.last, h.best)
        grid = (launch.blocks(self._room * (w.size + h.size)), self._problems)
        kept = (self._push, self._improved, self._rank)
        launch.course("carry", grid, *factors, *kept, w.size, h.size)

    def _filled(self, side: _Side, memory: Array, k: int) -> Array:
        shape = (self._problems, k, side.size)
        return memory[: self._problems * k * side.size].reshape(shape)


_KEPT: dict[int, dict[tuple[Any, ...], Iteration]] = {}
"""The recorded iterations of each target, by the identity of an array that is its alone."""


def iteration(target: Target, k: int, sweeps: int) -> Iteration:
    """Return what iterates on `target` with `k` components.

    Where that is small, one that was recorded before with room for `k`: it lives as long as the
    target.
    """
    room = launch.room_for(k)
    if not is_small(target, room):
        return Iteration(target, k, sweeps, small=False)
    owner = target.left_t
    if id(owner) not in _KEPT:
        _KEPT[id(owner)] = {}
        weakref.finalize(owner, _KEPT.pop, id(owner))
    stream = namespace(owner).cuda.get_current_stream().ptr
    key = (stream, room, sweeps)
    kept = _KEPT[id(owner)]
    if key not in kept:
        kept[key] = Iteration(target, room, sweeps, small=True)
    return kept[key]


def is_small(target: Target, k: int) -> bool:
    """Tell whether an iteration with `k` components costs no more than its launches do."""
    values = target.left.size + (0 if target.right is None else target.right.size)
    return bool(4 * k * values <= _SMALL)
