"""Networks in Flax through jax2onnx."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from flax import nnx
from jax2onnx import to_onnx

from corpus_models import Made, Truth

Batch = list[tuple[object, ...]]


class Mlp(nnx.Module):
    def __init__(self) -> None:
        rngs = nnx.Rngs(0)
        self.one, self.two = nnx.Linear(12, 24, rngs=rngs), nnx.Linear(24, 20, rngs=rngs)
        self.three = nnx.Linear(20, 5, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.three(nnx.relu(self.two(nnx.relu(self.one(x)))))


class Cnn(nnx.Module):
    def __init__(self) -> None:
        rngs = nnx.Rngs(0)
        self.one = nnx.Conv(3, 8, (3, 3), rngs=rngs)
        self.two = nnx.Conv(8, 14, (3, 3), rngs=rngs)
        self.three = nnx.Linear(14, 5, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = nnx.relu(self.one(x))
        return self.three(nnx.relu(self.two(x)).mean((1, 2)))


class Residual(nnx.Module):
    def __init__(self) -> None:
        rngs = nnx.Rngs(0)
        self.one = nnx.Linear(12, 20, rngs=rngs)
        self.two = nnx.Linear(20, 20, rngs=rngs)
        self.norm = nnx.LayerNorm(20, rngs=rngs)
        self.three = nnx.Linear(20, 5, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = nnx.relu(self.one(x))
        x = x + nnx.relu(self.norm(self.two(x)))
        return self.three(x)


class Maximum(nnx.Module):
    def __init__(self) -> None:
        rngs = nnx.Rngs(0)
        self.one, self.two = nnx.Linear(12, 24, rngs=rngs), nnx.Linear(24, 20, rngs=rngs)
        self.three = nnx.Linear(20, 5, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = jnp.maximum(self.one(x), 0)
        x = self.two(x)
        return self.three(jnp.where(x > 0, x, 0))


class Six(nnx.Module):
    def __init__(self) -> None:
        rngs = nnx.Rngs(0)
        self.one = nnx.Conv(3, 8, (3, 3), rngs=rngs)
        self.two = nnx.Conv(8, 8, (3, 3), feature_group_count=8, rngs=rngs)
        self.three = nnx.Linear(8, 5, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = nnx.hard_swish(self.two(jax.nn.relu6(self.one(x))))
        return self.three(x.mean((1, 2)))


def made(module: type, shape: tuple[object, ...], truth: Truth) -> Made:
    return Made("Flax, jax2onnx", to_onnx(module(), [("B", *shape)]), truth)


IMAGE = (12, 12, 3)
MODELS: dict[str, Callable[[], Made]] = {
    "jax-mlp": partial(made, Mlp, (12,), Truth((24, 20))),
    "jax-cnn": partial(made, Cnn, IMAGE, Truth((8, 14))),
    "jax-residual": partial(made, Residual, (12,), Truth((20, 20))),
    "jax-maximum": partial(made, Maximum, (12,), Truth((24, 20))),
    "jax-six": partial(made, Six, IMAGE, Truth((8,), lookalikes=1)),
}
