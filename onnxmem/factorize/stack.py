"""Several matrices as one stack: padded with dead rows and columns, which change nothing."""

from __future__ import annotations

from collections.abc import Sequence

from onnxmem.arrays import Array, is_cupy, namespace

_STEP = 8


def stack(matrices: Sequence[Array]) -> Array:
    """Return the matrices in one (p, m, q) array, zeros where one of them is smaller.

    Each has at least its own padded shape, whether it is alone or not. So matrices of one padded
    shape get the same operations in the same order, alone and among their likes.
    """
    xp = namespace(matrices[0])
    m, q = (max(padded_shape(a)[axis] for a in matrices) for axis in (0, 1))
    if len(matrices) == 1 and matrices[0].shape == (m, q):
        return matrices[0][None]
    whole = xp.zeros((len(matrices), m, q), xp.float32)
    for place, a in zip(whole, matrices, strict=True):
        place[: a.shape[0], : a.shape[1]] = a
    return whole


def padded_shape(a: Array) -> tuple[int, int]:
    """Return the shape that `a` has in a stack of its own.

    Sizes are multiples of eight; on a device, where many matrices in one stack count for more than
    an exact fit, of up to a quarter of the size.
    """
    m, q = (_padded(size, 4 if is_cupy(a) else size) for size in a.shape)
    return m, q


def _padded(size: int, parts: int) -> int:
    step = max(_STEP, (1 << max(size, 1).bit_length() - 1) // max(parts, 1))
    return -(-size // step) * step
