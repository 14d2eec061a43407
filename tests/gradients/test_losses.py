"""Losses and their gradients, as walks start from them."""

from __future__ import annotations

from types import ModuleType

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from onnx import helper
from operator_gradients import apart, loaded, model_of

from onnxmem.arrays import to_host
from onnxmem.errors import UsageError
from onnxmem.gradients import cross_entropy, logits, margin

STEP = 1e-6


def softmax(x: np.ndarray) -> np.ndarray:
    odds = np.exp(x - x.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def numeric(loss, output: np.ndarray) -> np.ndarray:
    """Return the differences of the values of a loss."""
    found = np.zeros_like(output)
    for column in range(output.shape[1]):
        shift = np.zeros_like(output)
        shift[:, column] = STEP
        found[:, column] = (loss(output + shift) - loss(output - shift)) / (2 * STEP)
    return found


@settings(max_examples=40)
@given(
    seed=st.integers(0, 99),
    samples=st.integers(1, 5),
    classes=st.integers(2, 5),
    form=st.sampled_from(["linear", "softmax", "log_softmax"]),
)
def test_cross_entropy(seed: int, samples: int, classes: int, form: str) -> None:
    rng = np.random.default_rng(seed)
    scores, labels = rng.normal(size=(samples, classes)), rng.integers(0, classes, samples)
    shown = {"linear": lambda x: x, "softmax": softmax, "log_softmax": lambda x: np.log(softmax(x))}
    output = shown[form](scores)
    loss = cross_entropy(output, labels, form)
    expected = -np.log(softmax(scores))[np.arange(samples), labels]
    np.testing.assert_allclose(loss.values, expected, rtol=1e-9)
    differences = numeric(lambda x: cross_entropy(x, labels, form).values, output)
    np.testing.assert_allclose(
        loss.gradient, differences, atol=1e-6 * max(1, abs(differences).max())
    )


@settings(max_examples=20)
@given(seed=st.integers(0, 99), samples=st.integers(1, 5), columns=st.integers(1, 4))
def test_cross_entropy_of_independent_classes(seed: int, samples: int, columns: int) -> None:
    rng = np.random.default_rng(seed)
    output = rng.uniform(0.05, 0.95, size=(samples, columns))
    labels = rng.integers(0, max(columns, 2), samples)
    true = labels[:, None] == (np.arange(columns) if columns > 1 else 1)
    loss = cross_entropy(output, labels, "sigmoid")
    np.testing.assert_allclose(loss.values, -np.log(np.where(true, output, 1 - output)).sum(1))
    differences = numeric(lambda x: cross_entropy(x, labels, "sigmoid").values, output)
    np.testing.assert_allclose(loss.gradient, differences, rtol=1e-5)


@settings(max_examples=40)
@given(seed=st.integers(0, 99), samples=st.integers(1, 5), classes=st.integers(2, 5))
def test_margin(seed: int, samples: int, classes: int) -> None:
    rng = np.random.default_rng(seed)
    output, labels = rng.normal(size=(samples, classes)), rng.integers(0, classes, samples)
    predicted, given_ = margin(output), margin(output, labels)
    ordered = np.sort(output, axis=1)
    np.testing.assert_allclose(predicted.values, ordered[:, -1] - ordered[:, -2])
    own = output[np.arange(samples), labels]
    others = np.where(np.arange(classes) == labels[:, None], -np.inf, output).max(axis=1)
    np.testing.assert_allclose(given_.values, own - others)
    for loss, chosen in ((predicted, None), (given_, labels)):
        differences = numeric(lambda x, c=chosen: margin(x, c).values, output)
        np.testing.assert_allclose(loss.gradient, differences, atol=1e-6)


def test_far_apart_logits_neither_overflow_nor_vanish() -> None:
    output = np.array([[500.0, -500.0], [500.0, -500.0]], np.float32)
    loss = cross_entropy(output, np.array([0, 1]))
    np.testing.assert_allclose(loss.values, [0, 1000])
    np.testing.assert_allclose(loss.gradient, [[0, 0], [1, -1]])
    impossible = cross_entropy(np.array([[1.0, 0.0]], np.float32), np.array([1]), "softmax")
    assert np.isfinite(impossible.values).all() and np.isfinite(impossible.gradient).all()


def test_types_are_kept_and_arrays_stay_where_they_are(xp: ModuleType) -> None:
    output, labels = xp.asarray(apart(3, 4)), xp.asarray(np.array([0, 3, 1]))
    for loss in (cross_entropy(output, labels), margin(output), margin(output, labels)):
        assert isinstance(loss.gradient, xp.ndarray) and loss.gradient.dtype == np.float32
        assert to_host(loss.values).shape == (3,)


@pytest.mark.parametrize(
    "labels", [np.array([0, 4, 1]), np.array([0, -1, 1]), np.array([0, 1]), np.zeros((3, 1), int)]
)
def test_labels_that_do_not_fit_are_wrong_usage(labels: np.ndarray) -> None:
    with pytest.raises(UsageError):
        cross_entropy(apart(3, 4), labels)
    with pytest.raises(UsageError):
        margin(apart(3, 4), labels)


def test_outputs_that_are_no_scores_are_wrong_usage() -> None:
    with pytest.raises(UsageError, match="'labels'"):
        cross_entropy(apart(3, 4), np.array([0, 1, 2]), "labels")
    with pytest.raises(UsageError, match="from 0 to 1"):
        cross_entropy(apart(3, 1), np.array([0, 1, 2]), "sigmoid")
    with pytest.raises(UsageError, match=r"\(3, 1\)"):
        margin(apart(3, 1))


@pytest.mark.parametrize(
    ("op", "attributes", "expected"),
    [
        ("Softmax", {}, "s"),
        ("Softmax", {"axis": 1}, "s"),
        ("LogSoftmax", {}, "s"),
        ("Softmax", {"axis": 0}, "y"),
        ("Sigmoid", {}, "y"),
    ],
)
def test_logits_lie_before_a_softmax(op: str, attributes: dict[str, int], expected: str) -> None:
    nodes = [
        helper.make_node("Neg", ["x"], ["s"]),
        helper.make_node(op, ["s"], ["p"], **attributes),
        helper.make_node("Identity", ["p"], ["y"]),
    ]
    model = loaded(model_of(nodes, {"x": apart(3, 4)}, ["y"]))
    assert logits(model, "y") == expected
