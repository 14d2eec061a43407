"""Functions of one tensor have the derivatives that differences say."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import helper
from operator_gradients import HERE, apart, check_operator, loaded, model_of, positive

from onnxmem.gradients import Gradients
from onnxmem.gradients.rules.activations import OF_MICROSOFT, SLOPES

X = apart(4, 9)
INSIDE = apart(3, 5, gap=0.11)
"""Between -1 and 1."""

CASES = {
    "Acos": [(INSIDE, {})],
    "Acosh": [(positive(3, 4) + 1, {})],
    "Asin": [(INSIDE, {})],
    "Atanh": [(INSIDE, {})],
    "Celu": [(X, {}), (X, {"alpha": 0.4})],
    "Elu": [(X, {}), (X, {"alpha": 0.4})],
    "Gelu": [(X, {}), (X, {"approximate": "tanh"})],
    "HardSigmoid": [(X, {}), (X, {"alpha": 0.7, "beta": 0.3})],
    "LeakyRelu": [(X, {}), (X, {"alpha": 0.4})],
    "Log": [(positive(4, 3), {})],
    "Reciprocal": [(positive(4, 3), {})],
    "Selu": [(X, {}), (X, {"alpha": 1.1, "gamma": 0.8})],
    "Shrink": [(X, {"lambd": 0.3, "bias": 0.1})],
    "Sqrt": [(positive(4, 3), {})],
    "Swish": [(X, {}), (X, {"alpha": 0.4})],
    "Tan": [(INSIDE, {})],
    "ThresholdedRelu": [(X, {}), (X, {"alpha": 0.4})],
}
SINCE = {"Gelu": 20, "Mish": 18, "Swish": 24}


@pytest.mark.parametrize("op", SLOPES)
def test_the_slope_is_what_differences_say(op: str) -> None:
    for x, attributes in CASES.get(op, [(X, {})]):
        check_operator(op, x, opset=SINCE.get(op, 17), **attributes)


@pytest.mark.parametrize("op", OF_MICROSOFT)
def test_so_are_those_of_onnxruntime(op: str) -> None:
    check_operator(op, X, domain="com.microsoft", coarse=True)


def slope(op: str, values: list[float], **attributes: float) -> np.ndarray:
    x = np.array(values, np.float32)
    node = helper.make_node(op, ["x"], ["y"], **attributes)
    proto = model_of([node], {"x": x}, ["y"], opset=18)
    forward = Gradients(loaded(proto), HERE, ["y"], wrt=["x"]).run({"x": x})
    return forward.backward(np.ones_like(x)).arrays["x"]


@pytest.mark.parametrize(
    ("op", "at", "expected"),
    [
        ("Relu", 0, 0),
        ("LeakyRelu", 0, 0.01),
        ("Abs", 0, 0),
        ("HardSigmoid", -2.5, 0),
        ("HardSwish", 3, 1),
        ("ThresholdedRelu", 1, 0),
        ("Elu", 0, 1),
    ],
)
def test_at_a_kink_the_choice_is_that_of_pytorch(op: str, at: float, expected: float) -> None:
    np.testing.assert_allclose(slope(op, [at]), [expected], atol=1e-6)


@pytest.mark.parametrize("op", ["Elu", "Mish", "Selu", "Sigmoid", "Softplus", "Tanh", "Erf"])
def test_far_out_nothing_overflows(op: str) -> None:
    found = slope(op, [-300.0, 300.0], **({} if op != "Elu" else {"alpha": 1.0}))
    assert np.isfinite(found).all()
    assert found[0] == pytest.approx(0, abs=1e-6)


def test_an_infinite_gradient_that_is_stopped_leaves_no_nan() -> None:
    x = np.array([-1.0, 4.0], np.float32)
    nodes = [helper.make_node("Relu", ["x"], ["r"]), helper.make_node("Sqrt", ["r"], ["y"])]
    forward = Gradients(loaded(model_of(nodes, {"x": x}, ["y"])), HERE, ["y"], wrt=["x"]).run(
        {"x": x}
    )
    np.testing.assert_allclose(forward.backward(np.ones_like(x)).arrays["x"], [0, 0.25])
