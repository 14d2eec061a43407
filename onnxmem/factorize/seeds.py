"""Where the iterations of a rank start: from the neighbouring rank, grown or merged."""

from __future__ import annotations

import numpy as np

from onnxmem.arrays import Array, namespace
from onnxmem.factorize.target import Target

_POWER_STEPS = 3


def grow(target: Target, w: Array, h: Array, rank: int, seed: int) -> tuple[Array, Array]:
    """Append components to w (k, m) and h (k, q) until there are `rank` of them.

    The new ones are the leading singular pairs of the residual A − wᵀ h, found by subspace
    iteration from seeded noise, each replaced by the larger of its positive and its negative part
    (NNDSVD: Boutsidis & Gallopoulos 2008; with k = 0 this is NNDSVD of A).
    """
    xp = namespace(w)
    noise = np.random.default_rng(seed).standard_normal((rank - len(w), h.shape[1]), np.float32)
    right = xp.asarray(noise)
    for _ in range(_POWER_STEPS):
        left = _orthonormal(target.times(right) - (right @ h.T) @ w)
        right = _orthonormal(target.transposed_times(left) - (left @ w.T) @ h)
    left = target.times(right) - (right @ h.T) @ w
    rotation = xp.linalg.eigh(left @ left.T)[1].T
    new_w, new_h = _dominant_sign(rotation @ left, rotation @ right)
    return xp.concatenate([w, new_w]), xp.concatenate([h, new_h])


def _orthonormal(rows: Array) -> Array:
    """Return orthonormal rows that span the given ones."""
    if len(rows) == 1:
        xp = namespace(rows)
        return rows / xp.maximum(xp.linalg.norm(rows), xp.finfo(rows.dtype).tiny)
    return namespace(rows).linalg.qr(rows.T)[0].T


def _dominant_sign(left: Array, right: Array) -> tuple[Array, Array]:
    """Return the larger non-negative part of each left[i]ᵀ right[i], as two rows of one norm."""
    xp = namespace(left)
    norm = xp.linalg.norm
    plus, minus = ((xp.maximum(s * left, 0), xp.maximum(s * right, 0)) for s in (1, -1))
    sizes = [norm(u, axis=1) * norm(v, axis=1) for u, v in (plus, minus)]
    chosen = (sizes[0] >= sizes[1])[:, None]
    return _balanced(*(xp.where(chosen, *both) for both in zip(plus, minus, strict=True)))


def _balanced(w: Array, h: Array) -> tuple[Array, Array]:
    """Share the size of each component equally between w (k, m) and h (k, q)."""
    xp = namespace(w)
    size_w, size_h = xp.linalg.norm(w, axis=1), xp.linalg.norm(h, axis=1)
    alive = (size_w > 0) & (size_h > 0)
    scale = xp.sqrt(xp.where(alive, size_h, 1) / xp.where(alive, size_w, 1))[:, None]
    return w * scale, h / scale


def merge(w: Array, h: Array, rank: int) -> tuple[Array, Array]:
    """Replace pairs of components of w (k, m) and h (k, q) by one until `rank` are left.

    Each time the pair whose sum is closest to a rank-1 matrix is replaced by its best rank-1
    approximation, which is non-negative because the pair is.
    """
    while len(w) > rank:
        w, h = _merge_closest_pair(w, h)
    return w, h


def _merge_closest_pair(w: Array, h: Array) -> tuple[Array, Array]:
    xp = namespace(w)
    w, h = _balanced(w, h)
    gram_w, gram_h = w @ w.T, h @ h.T
    pair = [int(i) for i in xp.unravel_index(_merge_loss(gram_w, gram_h).argmin(), gram_w.shape)]
    turn_w, turn_h = (g[pair][:, pair] for g in (gram_w, gram_h))
    mix = xp.ones(2, w.dtype)
    for _ in range(2 * _POWER_STEPS):
        mix = turn_w @ (turn_h @ mix)
        mix /= xp.maximum(mix.max(), xp.finfo(w.dtype).tiny)
    new_h = mix @ h[pair]
    new_w = (turn_h @ mix) @ w[pair] / xp.maximum(new_h @ new_h, xp.finfo(w.dtype).tiny)
    w, h = xp.delete(w, pair[1], axis=0), xp.delete(h, pair[1], axis=0)
    at = pair[0] - (pair[1] < pair[0])
    w[at], h[at] = new_w, new_h
    return w, h


def _merge_loss(gram_w: Array, gram_h: Array) -> Array:
    """Return (k, k): the squared smaller singular value of w[i]ᵀ h[i] + w[j]ᵀ h[j]; inf at i = j.

    The squared singular values are the eigenvalues of the product of the two 2 x 2 Gram matrices.
    """
    xp = namespace(gram_w)
    own_w, own_h = gram_w.diagonal(), gram_h.diagonal()
    own = own_w * own_h
    trace = own[:, None] + own + 2 * gram_w * gram_h
    determinant = (xp.outer(own_w, own_w) - gram_w**2) * (xp.outer(own_h, own_h) - gram_h**2)
    root = xp.sqrt(xp.maximum(trace**2 - 4 * determinant, 0))
    loss = 2 * determinant / xp.maximum(trace + root, xp.finfo(trace.dtype).tiny)
    xp.fill_diagonal(loss, xp.inf)
    return loss
