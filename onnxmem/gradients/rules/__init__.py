"""The rules, one file for each group of operators. Importing the package registers them.

    elementwise       arithmetic of several tensors, with broadcasting, and choices between them
    activations       functions of one tensor
    movement          operators that only move numbers
    linear            matrix products
    attention         attention
    convolution       convolutions and their transposes, by `geometry`
    pooling           pools
    resizing          interpolation
    reduction         sums, means, extremes and norms along axes
    normalization     normalizations and softmax

Where the derivative jumps, the choice is PyTorch's. A new operator takes one function here, which
gets a `Call` and returns the gradients of its inputs by position.
"""

from onnxmem.gradients.rules import (
    activations,
    attention,
    convolution,
    elementwise,
    linear,
    movement,
    normalization,
    pooling,
    reduction,
    resizing,
)

__all__ = [
    "activations",
    "attention",
    "convolution",
    "elementwise",
    "linear",
    "movement",
    "normalization",
    "pooling",
    "reduction",
    "resizing",
]
