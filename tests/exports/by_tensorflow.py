"""Exports by TensorFlow: Keras layers with channels last, through tf2onnx and Keras itself."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from weights import Network

VERSIONS = f"tensorflow {tf.__version__}, keras {keras.__version__}, tf2onnx {tf2onnx.__version__}"
OPSET = 18


def build(network: Network, *, softmax: bool, relu: Callable[[], keras.Layer]) -> keras.Model:
    """Return the network in Keras, channels last."""
    shape = network.shape if len(network.shape) == 1 else (*network.shape[1:], network.shape[0])
    model = keras.Sequential([keras.Input(shape)])
    flattened = False
    for step in network.steps:
        match step.kind:
            case "conv":
                layer = keras.layers.Conv2D(len(step.bias), 3, padding="same")
                kernel = step.weight.transpose(2, 3, 1, 0)
            case "dense":
                weight = network.dense_for_last_channels(step.weight) if flattened else step.weight
                layer, kernel, flattened = keras.layers.Dense(len(step.bias)), weight.T, False
            case "relu":
                layer = relu()
            case "pool":
                layer = keras.layers.MaxPooling2D()
            case "flatten":
                layer, flattened = keras.layers.Flatten(), True
        model.add(layer)
        if step.bias.size:
            layer.set_weights([np.ascontiguousarray(kernel), step.bias])
    if softmax:
        model.add(keras.layers.Softmax())
    model(np.zeros((1, *shape), np.float32))
    return model


def exports(network: Network) -> dict[str, Callable[[], onnx.ModelProto]]:
    """Return the exports of a network by name."""
    return {
        "keras-tf2onnx": lambda: _tf2onnx(build(network, softmax=True, relu=keras.layers.ReLU)),
        "keras-export": lambda: _keras(
            build(network, softmax=False, relu=lambda: keras.layers.Activation("relu"))
        ),
        "tf-maximum": lambda: _tf2onnx(build(network, softmax=False, relu=Maximum)),
    }


class Maximum(keras.Layer):
    """A ReLU as people write it who have none."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return tf.math.maximum(x, 0.0)


def _tf2onnx(model: keras.Model) -> onnx.ModelProto:
    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32, name="input_layer")]
    function = tf.function(model.call, input_signature=signature)
    proto, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=OPSET)
    return proto


def _keras(model: keras.Model) -> onnx.ModelProto:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.onnx"
        model.export(path, format="onnx", verbose=False)
        return onnx.load(path)
