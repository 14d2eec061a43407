"""Where the iterations of a rank start: the growing and merging of `seeds.py`, of one problem."""

from __future__ import annotations

from typing import Any

import numpy as np

from onnxmem.factorize.compiled.jit import compiled
from onnxmem.factorize.compiled.products import multiply_twice

_EPSILON, _LEAST = (np.float32(getattr(np.finfo(np.float32), name)) for name in ("eps", "tiny"))
_TINY = float(np.finfo(np.float64).tiny)


@compiled
def grown(matrices: Any, w: Any, h: Any, noise: Any, power_steps: int) -> Any:
    """Return w (k, m) and h (k, q) with components appended, as many as `noise` (n, q) has rows."""
    first_t, second_t, first, second, width = matrices
    (k, m), (count, q) = w.shape, noise.shape
    between = np.empty((count, width), np.float32)
    left, right = np.empty((count, m), np.float32), noise.copy()
    _residual_product(right, first_t, second_t, between, left, h, w)
    for _ in range(power_steps):
        _residual_product(left, first, second, between, right, w, h)
        right = _orthonormal(right)
        _residual_product(right, first_t, second_t, between, left, h, w)
    rotation = np.ascontiguousarray(np.linalg.eigh(np.dot(left, left.T))[1].T)
    left, right = np.dot(rotation, left), np.dot(rotation, right)
    more_w, more_h = np.empty((k + count, m), np.float32), np.empty((k + count, q), np.float32)
    more_w[:k], more_h[:k] = w, h
    for i in range(count):
        _set_dominant_sign(more_w[k + i], more_h[k + i], left[i], right[i])
    return more_w, more_h


@compiled
def _residual_product(
    factor: Any, first: Any, second: Any, between: Any, result: Any, own: Any, other: Any
) -> None:
    """Set `result` to the product of `factor` with A − (its approximation by own and other)."""
    multiply_twice(factor, first, second, between, result)
    if len(own) > 0:
        result -= np.dot(np.dot(factor, own.T), other)


@compiled
def _orthonormal(rows: Any) -> Any:
    values, vectors = np.linalg.eigh(np.dot(rows, rows.T))
    least = max(values.max() * _EPSILON, _LEAST)
    mix = np.zeros_like(vectors)
    for i in range(len(values)):
        if values[i] > least:
            mix[i] = vectors[:, i] / np.sqrt(values[i])
    return np.dot(mix, rows)


@compiled
def _set_dominant_sign(new_w: Any, new_h: Any, left: Any, right: Any) -> None:
    sizes = np.zeros((2, 2))
    for i in range(len(left)):
        sizes[0, int(left[i] > 0)] += np.float64(left[i]) ** 2
    for i in range(len(right)):
        sizes[1, int(right[i] > 0)] += np.float64(right[i]) ** 2
    plus = sizes[0, 1] * sizes[1, 1] >= sizes[0, 0] * sizes[1, 0]
    size_w, size_h = sizes[:, int(plus)]
    balance = np.float32((size_h / size_w) ** 0.25 if size_w > 0 and size_h > 0 else 1)
    sign, zero = np.float32(1 if plus else -1), np.float32(0)
    for i in range(len(left)):
        new_w[i] = max(sign * left[i], zero) * balance
    for i in range(len(right)):
        new_h[i] = max(sign * right[i], zero) / balance


@compiled
def merged(gram_w: Any, gram_h: Any, rank: int) -> Any:
    """Return (rank, k) twice: how components are mixed, for w and h of these (k, k) Grams."""
    k = len(gram_w)
    mix_w, mix_h = np.eye(k), np.eye(k)
    loss = np.full((k, k), np.inf)
    for i in range(k):
        for j in range(i):
            loss[i, j] = loss[j, i] = _merge_loss(gram_w, gram_h, i, j)
    left = np.ones(k, np.bool_)
    for _ in range(k - rank):
        best = int(loss.argmin())
        i, j = best // k, best % k
        shares = _best_shares(gram_w, gram_h, i, j)
        _mix(mix_w, gram_w, i, j, shares[0], shares[1])
        _mix(mix_h, gram_h, i, j, shares[2], shares[3])
        left[j] = False
        for other in range(k):
            loss[j, other] = loss[other, j] = np.inf
            if left[other] and other != i:
                loss[i, other] = loss[other, i] = _merge_loss(gram_w, gram_h, i, other)
    return mix_w[left].astype(np.float32), mix_h[left].astype(np.float32)


@compiled
def _mix(mix: Any, gram: Any, i: int, j: int, a: float, b: float) -> None:
    for other in range(len(gram)):
        mix[i, other] = a * mix[i, other] + b * mix[j, other]
        gram[i, other] = a * gram[i, other] + b * gram[j, other]
    for other in range(len(gram)):
        gram[other, i] = a * gram[other, i] + b * gram[other, j]


@compiled
def _best_shares(gram_w: Any, gram_h: Any, i: int, j: int) -> Any:
    w0, w1, w2 = gram_w[i, i], gram_w[i, j], gram_w[j, j]
    h0, h1, h2 = gram_h[i, i], gram_h[i, j], gram_h[j, j]
    a, b, c, d = w0 * h0 + w1 * h1, w0 * h1 + w1 * h2, w1 * h0 + w2 * h1, w1 * h1 + w2 * h2
    root = np.sqrt(max((a - d) ** 2 + 4 * b * c, 0.0))
    x, y = (a - d + root) / 2 + b, (d - a + root) / 2 + c
    x, y = (x / (x + y), y / (x + y)) if x + y > 0 else (0.5, 0.5)
    u, v = h0 * x + h1 * y, h1 * x + h2 * y
    size_h = max(x * u + y * v, _TINY)
    u, v = u / size_h, v / size_h
    size_w = max(w0 * u * u + 2 * w1 * u * v + w2 * v * v, _TINY)
    balance = (size_h / size_w) ** 0.25
    return u * balance, v * balance, x / balance, y / balance


@compiled
def _merge_loss(gram_w: Any, gram_h: Any, i: int, j: int) -> Any:
    own, other = gram_w[i, i] * gram_h[i, i], gram_w[j, j] * gram_h[j, j]
    trace = own + other + 2 * gram_w[i, j] * gram_h[i, j]
    spread_w = gram_w[i, i] * gram_w[j, j] - gram_w[i, j] ** 2
    spread_h = gram_h[i, i] * gram_h[j, j] - gram_h[i, j] ** 2
    determinant = spread_w * spread_h
    root = np.sqrt(max(trace**2 - 4 * determinant, 0.0))
    return 2 * determinant / max(trace + root, _TINY)
