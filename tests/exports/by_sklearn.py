"""Exports by scikit-learn through skl2onnx: an MLPClassifier, its scores as array or as maps."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import onnx
import skl2onnx
import sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import LabelBinarizer
from weights import Network

VERSIONS = f"scikit-learn {sklearn.__version__}, skl2onnx {skl2onnx.__version__}"
OPSET = 18


def build(network: Network) -> MLPClassifier:
    """Return the network as a classifier that was fitted."""
    dense = [step for step in network.steps if step.kind == "dense"]
    widths = [dense[0].weight.shape[1], *(len(step.bias) for step in dense)]
    classes = np.arange(widths[-1])
    model = MLPClassifier(hidden_layer_sizes=tuple(widths[1:-1]), max_iter=1)
    model.coefs_ = [step.weight.T.astype(np.float64) for step in dense]
    model.intercepts_ = [step.bias.astype(np.float64) for step in dense]
    assert all(w.shape == pair for w, pair in zip(model.coefs_, pairwise(widths), strict=True))
    model.classes_, model.n_features_in_ = classes, widths[0]
    model.n_layers_, model.n_outputs_, model.out_activation_ = len(widths), widths[-1], "softmax"
    model._label_binarizer = LabelBinarizer().fit(classes)
    return model


def exports(network: Network) -> dict[str, Callable[[], onnx.ModelProto]]:
    """Return the exports of a network by name; there are none of convolutions."""
    if not network.is_dense:
        return {}
    return {
        "sklearn": lambda: _export(network, zipmap=False),
        "sklearn-zipmap": lambda: _export(network, zipmap=True),
    }


def _export(network: Network, *, zipmap: bool) -> onnx.ModelProto:
    model = build(network)
    types = [("features", FloatTensorType([None, *network.shape]))]
    options = {id(model): {"zipmap": zipmap}}
    return skl2onnx.to_onnx(model, initial_types=types, options=options, target_opset=OPSET)
