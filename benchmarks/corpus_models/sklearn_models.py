"""Multi-layer perceptrons of scikit-learn through skl2onnx."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from corpus_models import Made, Truth


def fitted(estimator: type, widths: tuple[int, ...], *, scaled: bool, classes: int) -> object:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 6)), rng.integers(0, classes, 60)
    mlp = estimator(hidden_layer_sizes=widths, max_iter=20, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return (make_pipeline(StandardScaler(), mlp) if scaled else mlp).fit(x, y)


def made(
    estimator: type = MLPClassifier, widths: tuple[int, ...] = (24, 20), *, scaled: bool = False,
    classes: int = 4, opset: int | None = None, **options: object,
) -> Made:  # fmt: skip
    model = fitted(estimator, widths, scaled=scaled, classes=classes)
    chosen = {id(model): options} if options else None
    proto = convert_sklearn(
        model, initial_types=[("x", FloatTensorType([None, 6]))], options=chosen,
        target_opset=opset,
    )  # fmt: skip
    return Made("skl2onnx", proto, Truth(widths))


MODELS: dict[str, Callable[[], Made]] = {
    "sklearn-classifier-zipmap": made,
    "sklearn-classifier": partial(made, zipmap=False),
    "sklearn-classifier-columns": partial(made, zipmap="columns"),
    "sklearn-binary": partial(made, classes=2, zipmap=False),
    "sklearn-scaled": partial(made, scaled=True, zipmap=False),
    "sklearn-deep-opset11": partial(made, widths=(24, 20, 16, 12), opset=11, zipmap=False),
    "sklearn-regressor": partial(made, MLPRegressor),
}
