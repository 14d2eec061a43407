"""Keras networks without a ReLU through tf2onnx: features last, axes moved for convolutions."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import tensorflow as tf
import tf2onnx
from keras import Model, Sequential, layers

from activation_models import Made, Truth

IMAGE = (16, 16, 3)


def gelu(x: tf.Tensor) -> tf.Tensor:
    """Keras's own has an operator, Erfc, that tf2onnx does not know."""
    return 0.5 * x * (1 + tf.math.erf(x / 2**0.5))


NAMES = {
    "silu": "silu", "hard_silu": "hardswish", "mish": "mish", "elu": "elu",
    "selu": "selu", "leaky_relu": "leakyrelu", "tanh": "tanh", "softsign": "softsign",
    "softplus": "softplus", "sigmoid": "sigmoid", "hard_sigmoid": "hardsigmoid",
}  # fmt: skip
"""What Keras calls an activation, and what it is found as."""


def spellings() -> Model:
    parts = [layers.Input((12,))]
    parts += [layers.Dense(24, name) for name in NAMES]
    parts += [layers.Dense(24), layers.Activation(gelu)]
    rough = layers.Activation(lambda x: keras.activations.gelu(x, approximate=True))
    slopes = layers.PReLU(keras.initializers.RandomUniform(0.1, 0.4))
    for act in (rough, slopes, layers.ELU(0.5), layers.LeakyReLU(negative_slope=0.2)):
        parts += [layers.Dense(20), act]
    return Sequential([*parts, layers.Dense(5, "softmax")])


def spellings_2d() -> Model:
    parts = [layers.Input(IMAGE)]
    for name in NAMES:
        parts += [layers.Conv2D(14, 3, padding="same"), layers.BatchNormalization(),
                  layers.Activation(name)]  # fmt: skip
    slopes = layers.PReLU(keras.initializers.RandomUniform(0.1, 0.4), shared_axes=(1, 2))
    parts += [layers.Conv2D(14, 3), slopes]
    return Sequential([*parts, layers.GlobalAveragePooling2D(), layers.Dense(5)])


def convnext() -> Model:
    x = inputs = layers.Input(IMAGE)
    x = layers.Conv2D(12, 4, strides=4)(x)
    for width in (40, 44):
        y = layers.DepthwiseConv2D(3, padding="same")(x)
        y = layers.LayerNormalization(epsilon=1e-6)(y)
        y = layers.Dense(12)(layers.Dense(width, gelu)(y))
        x = layers.Add()([x, y])
    return Model(inputs, layers.Dense(5)(layers.GlobalAveragePooling2D()(x)))


def efficientnet() -> Model:
    x = inputs = layers.Input(IMAGE)
    x = layers.Conv2D(8, 3, padding="same", activation="silu")(x)
    y = layers.BatchNormalization()(layers.Conv2D(20, 1)(x))
    y = layers.Activation("silu")(y)
    y = layers.DepthwiseConv2D(3, padding="same", activation="silu")(y)
    s = layers.GlobalAveragePooling2D(keepdims=True)(y)
    s = layers.Conv2D(20, 1, activation="sigmoid")(layers.Conv2D(4, 1, activation="silu")(s))
    x = layers.Add()([x, layers.Conv2D(8, 1)(layers.Multiply()([y, s]))])
    return Model(inputs, layers.Dense(5, "softmax")(layers.GlobalAveragePooling2D()(x)))


def transformer() -> Model:
    x = inputs = layers.Input((7, 16))
    for width in (40, 42):
        y = layers.LayerNormalization()(x)
        x = x + layers.MultiHeadAttention(2, 8)(y, y)
        y = layers.Dense(width, gelu)(layers.LayerNormalization()(x))
        x = x + layers.Dense(16)(y)
    return Model(inputs, layers.Dense(5)(layers.GlobalAveragePooling1D()(x)))


def swiglu() -> Model:
    x = inputs = layers.Input((7, 16))
    for width in (40, 42):
        y = layers.LayerNormalization()(x)
        y = layers.Dense(width, "silu", use_bias=False)(y) * layers.Dense(width)(y)
        x = x + layers.Dense(16)(y)
    return Model(inputs, layers.Dense(5)(layers.GlobalAveragePooling1D()(x)))


def tanh_mlp() -> Model:
    return Sequential([layers.Input((12,)), layers.Dense(24, "tanh"), layers.Dense(20, "softsign"),
                       layers.Dense(1, "sigmoid")])  # fmt: skip


def _all(width: int) -> tuple[tuple[str, int], ...]:
    return tuple((kind, width) for kind in NAMES.values())


KNOWN: dict[Callable[[], Model], Truth] = {
    spellings: Truth(
        (*_all(24), ("gelu", 24), ("gelu", 20), ("prelu", 20), ("elu", 20), ("leakyrelu", 20)), 9
    ),
    spellings_2d: Truth((*_all(14), ("prelu", 14)), 8),
    convnext: Truth((("gelu", 40), ("gelu", 44)), 2),
    efficientnet: Truth(tuple(("silu", width) for width in (8, 20, 20, 4)), 6),
    transformer: Truth((("gelu", 40), ("gelu", 42)), 4),
    swiglu: Truth((("glu", 40), ("glu", 42)), 4),
    tanh_mlp: Truth((("tanh", 24), ("softsign", 20)), 1),
}  # fmt: skip


def made(build: Callable[[], Model], opset: int) -> Made:
    keras.utils.set_random_seed(0)
    model = build()
    signature = [tf.TensorSpec((None, *one.shape[1:]), tf.float32) for one in model.inputs]

    @tf.function(input_signature=signature)  # type: ignore[misc]
    def run(*inputs: tf.Tensor) -> object:
        return model(list(inputs) if len(inputs) > 1 else inputs[0])

    proto, _ = tf2onnx.convert.from_function(run, input_signature=signature, opset=opset)
    return Made("Keras, tf2onnx", proto, KNOWN[build])


MODELS: dict[str, Callable[[], Made]] = {
    f"keras-{build.__name__}": partial(made, build, 15) for build in KNOWN
}
MODELS["keras-spellings-opset18"] = partial(made, spellings, 18)
MODELS["keras-convnext-opset12"] = partial(made, convnext, 12)
