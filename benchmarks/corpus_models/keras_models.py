"""Keras networks through tf2onnx: features last, and axes moved back and forth for convolutions."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import tensorflow as tf
import tf2onnx
from keras import Model, Sequential, layers

from corpus_models import Made, Truth

IMAGE = (12, 12, 3)


def mlp() -> Model:
    return Sequential([layers.Input((12,)), layers.Dense(24, "relu"), layers.Dense(20, "relu"),
                       layers.Dense(5, "softmax")])  # fmt: skip


def cnn() -> Model:
    return Sequential([
        layers.Input(IMAGE), layers.Conv2D(8, 3), layers.BatchNormalization(), layers.ReLU(),
        layers.MaxPool2D(), layers.Conv2D(14, 3, activation="relu"), layers.Flatten(),
        layers.Dense(18, "relu"), layers.Dense(5, "softmax"),
    ])  # fmt: skip


def mobile() -> Model:
    return Sequential([
        layers.Input(IMAGE), layers.Conv2D(8, 3, strides=2), layers.ReLU(6.0),
        layers.DepthwiseConv2D(3, padding="same"), layers.BatchNormalization(), layers.ReLU(6.0),
        layers.Conv2D(14, 1), layers.Activation("hard_swish"), layers.GlobalAveragePooling2D(),
        layers.Dense(5, "softmax"),
    ])  # fmt: skip


def residual() -> Model:
    x = inputs = layers.Input(IMAGE)
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    for _ in range(2):
        y = layers.Conv2D(8, 3, padding="same", activation="relu")(x)
        y = layers.Conv2D(8, 3, padding="same")(y)
        x = layers.ReLU()(layers.Add()([x, y]))
    return Model(inputs, layers.Dense(5)(layers.GlobalAveragePooling2D()(x)))


def leaky_zero() -> Model:
    return Sequential([layers.Input((12,)), layers.Dense(24), layers.ReLU(threshold=0.0),
                       layers.Dense(20), layers.LeakyReLU(negative_slope=0.0),
                       layers.Dense(5)])  # fmt: skip


def attention() -> Model:
    x = inputs = layers.Input((7, 16))
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 8)(x, x))
    y = layers.Dense(16)(layers.Dense(40, "relu")(x))
    x = layers.LayerNormalization()(x + y)
    return Model(inputs, layers.Dense(5)(layers.GlobalAveragePooling1D()(x)))


def convolution_1d() -> Model:
    return Sequential([layers.Input((40, 2)), layers.Conv1D(8, 5, activation="relu"),
                       layers.Conv1D(14, 3, strides=2, activation="relu", padding="causal"),
                       layers.GlobalMaxPooling1D(), layers.Dense(5)])  # fmt: skip


def gru() -> Model:
    return Sequential([layers.Input((7, 6)), layers.GRU(10, unroll=True), layers.Dense(14, "relu"),
                       layers.Dense(5)])  # fmt: skip


def two_inputs() -> Model:
    image, facts = layers.Input(IMAGE), layers.Input((6,))
    seen = layers.GlobalAveragePooling2D()(layers.Conv2D(8, 3, activation="relu")(image))
    known = layers.Dense(10, "relu")(facts)
    both = layers.Dense(14, "relu")(layers.Concatenate()([seen, known]))
    return Model([image, facts], [layers.Dense(5)(both), layers.Dense(1)(known)])


KNOWN: dict[Callable[[], Model], Truth] = {
    mlp: Truth((24, 20)),
    cnn: Truth((8, 14, 18)),
    mobile: Truth((8, 8), lookalikes=1),
    residual: Truth((8,) * 5),
    leaky_zero: Truth((24, 20)),
    attention: Truth((40,)),
    convolution_1d: Truth((8, 14)),
    gru: Truth((14,)),
    two_inputs: Truth((8, 10, 14)),
}


def made(build: Callable[[], Model], opset: int = 15) -> Made:
    keras.utils.set_random_seed(0)
    model = build()
    signature = [tf.TensorSpec((None, *one.shape[1:]), tf.float32) for one in model.inputs]

    @tf.function(input_signature=signature)  # type: ignore[misc]
    def run(*inputs: tf.Tensor) -> object:
        return model(list(inputs) if len(inputs) > 1 else inputs[0])

    proto, _ = tf2onnx.convert.from_function(run, input_signature=signature, opset=opset)
    return Made("Keras, tf2onnx", proto, KNOWN[build])


MODELS: dict[str, Callable[[], Made]] = {
    f"keras-{build.__name__}": partial(made, build) for build in KNOWN
}
MODELS["keras-cnn-opset9"] = partial(made, cnn, 9)
MODELS["keras-mobile-opset18"] = partial(made, mobile, 18)
