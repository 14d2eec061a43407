"""Networks without a ReLU in Flax through jax2onnx."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from flax import nnx
from jax2onnx import to_onnx

from activation_models import Made, Truth

ACTIVATIONS: tuple[tuple[str, Callable[[jax.Array], jax.Array]], ...] = (
    ("gelu", partial(jax.nn.gelu, approximate=True)),
    ("gelu", partial(jax.nn.gelu, approximate=False)),
    ("silu", jax.nn.silu),
    ("hardswish", jax.nn.hard_swish),
    ("mish", jax.nn.mish),
    ("elu", jax.nn.elu),
    ("selu", jax.nn.selu),
    ("celu", partial(jax.nn.celu, alpha=1.5)),
    ("leakyrelu", partial(jax.nn.leaky_relu, negative_slope=0.1)),
    ("tanh", jnp.tanh),
    ("softsign", jax.nn.soft_sign),
    ("softplus", jax.nn.softplus),
    ("sigmoid", jax.nn.sigmoid),
    ("hardsigmoid", jax.nn.hard_sigmoid),
)


class Spellings(nnx.Module):
    def __init__(self) -> None:
        rngs = nnx.Rngs(0)
        widths = [12, *[24] * len(ACTIVATIONS)]
        self.layers = nnx.List([nnx.Linear(w, 24, rngs=rngs) for w in widths[:-1]])
        self.out = nnx.Linear(24, 5, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        for layer, (_, act) in zip(self.layers, ACTIVATIONS, strict=True):
            x = act(layer(x))
        return self.out(x)


class ByHand(nnx.Module):
    """The same functions as other people write them."""

    def __init__(self) -> None:
        rngs = nnx.Rngs(0)
        self.layers = nnx.List([nnx.Linear(12 if i == 0 else 20, 20, rngs=rngs) for i in range(5)])
        self.out = nnx.Linear(20, 5, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        one, two, three, four, five = self.layers
        x = one(x)
        x = 0.5 * x * (1 + jax.lax.erf(x / jnp.sqrt(2.0)))
        x = two(x)
        x = x / (1 + jnp.exp(-x))
        x = three(x)
        x = jnp.where(x > 0, x, jnp.expm1(x))
        x = four(x)
        x = jnp.maximum(x, 0.2 * x)
        x = five(x)
        x = jnp.log1p(jnp.exp(x))
        return self.out(x)


class Convnext(nnx.Module):
    def __init__(self) -> None:
        rngs = nnx.Rngs(0)
        self.stem = nnx.Conv(3, 12, (4, 4), 4, rngs=rngs)
        self.depth = nnx.Conv(12, 12, (3, 3), feature_group_count=12, rngs=rngs)
        self.norm = nnx.LayerNorm(12, rngs=rngs)
        self.up, self.down = nnx.Linear(12, 44, rngs=rngs), nnx.Linear(44, 12, rngs=rngs)
        self.out = nnx.Linear(12, 5, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = self.stem(x)
        x = x + self.down(nnx.gelu(self.up(self.norm(self.depth(x)))))
        return self.out(x.mean((1, 2)))


class Swiglu(nnx.Module):
    def __init__(self) -> None:
        rngs = nnx.Rngs(0)
        self.norm = nnx.RMSNorm(16, rngs=rngs)
        self.up, self.gate = nnx.Linear(16, 40, rngs=rngs), nnx.Linear(16, 40, rngs=rngs)
        self.down, self.out = nnx.Linear(40, 16, rngs=rngs), nnx.Linear(16, 5, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        y = self.norm(x)
        x = x + self.down(nnx.silu(self.gate(y)) * self.up(y))
        return self.out(x.mean(1))


def made(module: type, shape: tuple[object, ...], truth: Truth) -> Made:
    return Made("Flax, jax2onnx", to_onnx(module(), [("B", *shape)]), truth)


HAND = ("gelu", "silu", "elu", "leakyrelu", "softplus")
MODELS: dict[str, Callable[[], Made]] = {
    "jax-spellings": partial(
        made, Spellings, (12,), Truth(tuple((kind, 24) for kind, _ in ACTIVATIONS), 8)
    ),
    "jax-by-hand": partial(made, ByHand, (12,), Truth(tuple((kind, 20) for kind in HAND), 3)),
    "jax-convnext": partial(made, Convnext, (16, 16, 3), Truth((("gelu", 44),), 1)),
    "jax-swiglu": partial(made, Swiglu, (7, 16), Truth((("glu", 40),), 2)),
}
