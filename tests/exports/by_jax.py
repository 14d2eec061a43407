"""Exports by JAX through jax2onnx: plain functions, with channels last or behind the samples."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version

import jax
import jax.numpy as jnp
import onnx
from flax import nnx
from jax import lax
from jax2onnx import to_onnx
from weights import Network

VERSIONS = f"jax {jax.__version__}, jax2onnx {version('jax2onnx')}"
OPSET = 21


def build(network: Network, *, last: bool) -> Callable[[jax.Array], jax.Array]:
    """Return the network as a function; `last` tells where the channels stand."""
    axes = ("NHWC", "HWIO", "NHWC") if last else ("NCHW", "OIHW", "NCHW")

    def apply(x: jax.Array) -> jax.Array:
        flattened = False
        for step in network.steps:
            match step.kind:
                case "conv":
                    kernel = step.weight.transpose(2, 3, 1, 0) if last else step.weight
                    bias = step.bias if last else step.bias[:, None, None]
                    x = (
                        lax.conv_general_dilated(
                            x, jnp.asarray(kernel), (1, 1), "SAME", dimension_numbers=axes
                        )
                        + bias
                    )
                case "dense":
                    weight = step.weight
                    if flattened and last:
                        weight = network.dense_for_last_channels(weight)
                    x, flattened = x @ jnp.asarray(weight.T) + step.bias, False
                case "relu":
                    x = jax.nn.relu(x) if last else jnp.maximum(x, jnp.float32(0))
                case "pool":
                    x = nnx.max_pool(x, window_shape=(2, 2), strides=(2, 2)) if last else _halved(x)
                case "flatten":
                    x, flattened = x.reshape(x.shape[0], -1), True
        return x

    return apply


def _halved(x: jax.Array) -> jax.Array:
    """Return the maximum of every 2 x 2 (samples, channels, height, width)."""
    height, width = x.shape[2] // 2, x.shape[3] // 2
    x = x[:, :, : 2 * height, : 2 * width]
    return x.reshape(-1, x.shape[1], height, 2, width, 2).max((3, 5))


def exports(network: Network) -> dict[str, Callable[[], onnx.ModelProto]]:
    """Return the exports of a network by name."""
    first = ("B", *network.shape)
    last = first if network.is_dense else ("B", *network.shape[1:], network.shape[0])
    return {
        "jax-relu": lambda: _export(build(network, last=True), last),
        "jax-maximum": lambda: _export(build(network, last=False), first),
    }


def _export(
    function: Callable[[jax.Array], jax.Array], shape: tuple[int | str, ...]
) -> onnx.ModelProto:
    return to_onnx(function, [shape], opset=OPSET)
