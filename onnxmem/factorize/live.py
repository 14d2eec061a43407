"""The live part of a matrix: scaled, without its dead rows and columns."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

from onnxmem.arrays import Array, namespace


@dataclass(frozen=True, slots=True)
class Live:
    """A matrix without its dead rows and columns, scaled so that its largest value is near 1.

    Both are exact: what is dead has zero factors, and the scale is a power of two.

    Attributes:
        a: (m_live, q_live) float32, the live part times 2 ** -exponent.
        rows: (m,) boolean, which rows are live.
        columns: (q,) boolean, which columns are live.
        exponent: of the scale.
    """

    a: Array
    rows: Array
    columns: Array
    exponent: int

    @classmethod
    def of(cls, a: Array) -> Self:
        """Take the live part of `a` (m, q), which is finite and >= 0."""
        exponent = math.frexp(float(a.max()))[1]
        whole = cls(a, a.any(axis=1), a.any(axis=0), exponent)
        return replace(whole, a=whole.scaled(a[whole.rows]))

    @property
    def limit(self) -> int:
        """The rank from which on an exact factorization is at hand."""
        m, q = self.a.shape
        return int(min(m, q))

    def scaled(self, rows: Array) -> Array:
        """Return the live columns of `rows` (n, q) in the scale of the live part, float32."""
        xp = namespace(rows)
        live = rows if bool(self.columns.all()) else rows[:, self.columns]
        live = live.astype(xp.promote_types(rows.dtype, xp.float32), copy=False)
        return xp.ascontiguousarray(_shifted(live, -self.exponent), dtype=xp.float32)

    def unscaled(self, values: Array) -> Array:
        """Return `values` in the scale of the whole matrix."""
        return _shifted(values, self.exponent)

    def embed(self, values: Array) -> Array:
        """Put `values` (m_live, q_live) in their place in the whole matrix (m, q)."""
        xp = namespace(values)
        wide = xp.zeros((len(values), len(self.columns)), xp.float32)
        wide[:, self.columns] = self.unscaled(values)
        if bool(self.rows.all()):
            return wide
        whole = xp.zeros((len(self.rows), len(self.columns)), xp.float32)
        whole[self.rows] = wide
        return whole

    def embed_factors(self, w: Array, h: Array) -> tuple[Array, Array]:
        """Put w (k, m_live), h (k, q_live) in their place: (m, k), (k, q), the scale shared."""
        xp = namespace(w)
        whole_w = xp.zeros((len(self.rows), len(w)), xp.float32)
        whole_h = xp.zeros((len(h), len(self.columns)), xp.float32)
        half = self.exponent // 2
        rows, columns = (
            slice(None) if bool(one.all()) else one for one in (self.rows, self.columns)
        )
        whole_w[rows] = _shifted(w, half).T
        whole_h[:, columns] = _shifted(h, self.exponent - half)
        return whole_w, whole_h


def _shifted(values: Array, exponent: int) -> Array:
    """Return `values` times 2 ** exponent, which need not be a number of their own type."""
    half = exponent // 2
    shifted = values * 2.0**half
    shifted *= 2.0 ** (exponent - half)
    return shifted


def exact_factors(a: Array, rank: int) -> tuple[Array, Array]:
    """Return w (rank, m) and h (rank, q) with wᵀ h = a, for rank >= min(m, q)."""
    xp = namespace(a)
    m, q = a.shape
    w, h = xp.zeros((rank, m), xp.float32), xp.zeros((rank, q), xp.float32)
    if m <= q:
        w[:m], h[:m] = xp.eye(m, dtype=w.dtype), a
    else:
        w[:q], h[:q] = a.T, xp.eye(q, dtype=h.dtype)
    return w, h
