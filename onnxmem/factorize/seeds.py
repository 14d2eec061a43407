"""Where the iterations of a rank start: from the neighbouring rank, grown or merged."""

from __future__ import annotations

import numpy as np

from onnxmem.arrays import Array, is_cupy, namespace, to_host
from onnxmem.factorize import kernel
from onnxmem.factorize.target import Target

_POWER_STEPS = 3


def grow(target: Target, w: Array, h: Array, rank: int, seed: int) -> tuple[Array, Array]:
    """Append components to w (p, k, m) and h (p, k, q) until there are `rank` of them.

    The new ones are the leading singular pairs of the residual A − wᵀ h, found by subspace
    iteration from seeded noise, each replaced by the larger of its positive and its negative part
    (NNDSVD: Boutsidis & Gallopoulos 2008; with k = 0 this is NNDSVD of A).
    """
    xp = namespace(w)
    p, k, q = h.shape
    # By column, so that a dead column at the end changes none of the others' numbers.
    noise = xp.asarray(np.random.default_rng(seed).standard_normal((q, rank - k), np.float32).T)
    if is_cupy(w) and rank - k == 1:
        from onnxmem.factorize import device

        if grown := device.grow(target, w, h, noise):
            return grown
    elif not is_cupy(w) and (module := kernel.compiled()):
        pairs: tuple[Array, Array] = module.grow(target, w, h, noise, _POWER_STEPS)
        return pairs
    right = xp.broadcast_to(noise, (p, rank - k, q))
    w_t, h_t = w.swapaxes(1, 2), h.swapaxes(1, 2)
    left = target.times(right) - (right @ h_t) @ w
    for _ in range(_POWER_STEPS):
        right = _orthonormal(target.transposed_times(left) - (left @ w_t) @ h)
        left = target.times(right) - (right @ h_t) @ w
    rotation = xp.linalg.eigh(left @ left.swapaxes(1, 2))[1].swapaxes(1, 2)
    new_w, new_h = _dominant_sign(rotation @ left, rotation @ right)
    return xp.concatenate([w, new_w], 1), xp.concatenate([h, new_h], 1)


def _orthonormal(rows: Array) -> Array:
    """Return orthonormal rows (p, n, m) that span the given ones; zeros where those do not do."""
    xp = namespace(rows)
    values, vectors = xp.linalg.eigh(rows @ rows.swapaxes(1, 2))
    info = xp.finfo(rows.dtype)
    least = xp.maximum(values.max(axis=1, keepdims=True) * info.eps, info.tiny)
    inverse = xp.where(values > least, 1 / xp.sqrt(xp.maximum(values, least)), 0)
    return (vectors * inverse[:, None, :]).swapaxes(1, 2) @ rows


def _dominant_sign(left: Array, right: Array) -> tuple[Array, Array]:
    """Return the larger non-negative part of each left[i]ᵀ right[i], as two rows of one norm."""
    xp = namespace(left)
    plus, minus = ((xp.maximum(s * left, 0), xp.maximum(s * right, 0)) for s in (1, -1))
    sizes = [_norms(u) * _norms(v) for u, v in (plus, minus)]
    chosen = (sizes[0] >= sizes[1])[:, :, None]
    w, h = (xp.where(chosen, *both) for both in zip(plus, minus, strict=True))
    size_w, size_h = _norms(w), _norms(h)
    alive = (size_w > 0) & (size_h > 0)
    scale = xp.sqrt(xp.where(alive, size_h, 1) / xp.where(alive, size_w, 1))[:, :, None]
    return w * scale, h / scale


def _norms(rows: Array) -> Array:
    """Return the norm of each row, (p, n)."""
    return namespace(rows).sqrt((rows * rows).sum(axis=2))


def merge(w: Array, h: Array, rank: int) -> tuple[Array, Array]:
    """Replace pairs of components of w (p, k, m) and h (p, k, q) by one until `rank` are left.

    Each time the pair whose sum is closest to a rank-1 matrix is replaced by its best rank-1
    approximation, which is non-negative because the pair is. All of that follows from the two
    Gram matrices; the components themselves are mixed once, at the end.
    """
    xp = namespace(w)
    grams = to_host(xp.stack([x @ x.swapaxes(1, 2) for x in (w, h)])).astype(np.float64)
    module = kernel.compiled()
    mixed = module.merged if module else _merged
    mixes = [mixed(gram_w, gram_h, rank) for gram_w, gram_h in zip(*grams, strict=True)]
    mix_w, mix_h = xp.asarray(np.stack(mixes, axis=1))
    return mix_w @ w, mix_h @ h


_TINY = float(np.finfo(np.float64).tiny)


def _merged(gram_w: np.ndarray, gram_h: np.ndarray, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (rank, k) twice: how components are mixed, for w and h of these (k, k) Grams."""
    k = len(gram_w)
    mix_w, mix_h, gone = np.eye(k), np.eye(k), np.zeros(k, bool)
    loss = _merge_loss(gram_w, gram_h, slice(k))
    for _ in range(k - rank):
        i, j = divmod(int(loss.argmin()), k)
        shares = _best_shares(
            gram_w[[i, j]][:, [i, j]].tolist(), gram_h[[i, j]][:, [i, j]].tolist()
        )
        for mix, gram, (a, b) in zip((mix_w, mix_h), (gram_w, gram_h), shares, strict=True):
            mix[i] = a * mix[i] + b * mix[j]
            gram[i] = a * gram[i] + b * gram[j]
            gram[:, i] = a * gram[:, i] + b * gram[:, j]
        gone[j] = True
        merged = _merge_loss(gram_w, gram_h, slice(i, i + 1))[0]
        loss[i] = loss[:, i] = np.where(gone, np.inf, merged)
        loss[j] = loss[:, j] = np.inf
    return mix_w[~gone].astype(np.float32), mix_h[~gone].astype(np.float32)


def _best_shares(
    w: list[list[float]], h: list[list[float]]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the shares of two components, of Grams w and h (2, 2), in the one that replaces them.

    The right singular vector is the leading eigenvector of w h; both sides get the same norm.
    """
    (a, b), (c, d) = [[u * h[0][j] + v * h[1][j] for j in (0, 1)] for u, v in w]
    root = max((a - d) ** 2 + 4 * b * c, 0.0) ** 0.5
    x, y = (a - d + root) / 2 + b, (d - a + root) / 2 + c
    x, y = (x / (x + y), y / (x + y)) if x + y > 0 else (0.5, 0.5)
    u, v = h[0][0] * x + h[0][1] * y, h[1][0] * x + h[1][1] * y
    size_h = max(x * u + y * v, _TINY)
    u, v = u / size_h, v / size_h
    size_w = max(w[0][0] * u * u + 2 * w[0][1] * u * v + w[1][1] * v * v, _TINY)
    balance = (size_h / size_w) ** 0.25
    return (u * balance, v * balance), (x / balance, y / balance)


def _merge_loss(gram_w: np.ndarray, gram_h: np.ndarray, rows: slice) -> np.ndarray:
    """Return (n, k): the squared smaller singular value of w[i]ᵀ h[i] + w[j]ᵀ h[j]; inf at j = i.

    i runs over `rows`, j over all components. The squared singular values are the eigenvalues of
    the product of the two 2 x 2 Gram matrices.
    """
    own_w, own_h, with_w, with_h = gram_w.diagonal(), gram_h.diagonal(), gram_w[rows], gram_h[rows]
    both, of_w, of_h = (own_w * own_h)[rows, None], own_w[rows, None], own_h[rows, None]
    trace = both + own_w * own_h + 2 * with_w * with_h
    determinant = (of_w * own_w - with_w**2) * (of_h * own_h - with_h**2)
    root = np.sqrt(np.maximum(trace**2 - 4 * determinant, 0))
    loss = 2 * determinant / np.maximum(trace + root, _TINY)
    each = np.arange(len(own_w))[rows]
    loss[np.arange(len(each)), each] = np.inf
    return np.asarray(loss)
