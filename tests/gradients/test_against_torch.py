"""PyTorch gives the same gradients, also where derivatives jump; runs where it is installed."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from operator_gradients import HERE, apart, loaded, model_of

from onnxmem.gradients import Gradients, cross_entropy, find_weights

torch = pytest.importorskip("torch")
nn, F = torch.nn, torch.nn.functional


def exported(module: Any, *inputs: Any) -> onnx.ModelProto:
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(), inputs, file, dynamo=False, opset_version=17, input_names=["x"],
            output_names=["y"], dynamic_axes={"x": {0: "n"}, "y": {0: "n"}},
        )  # fmt: skip
    return onnx.load_from_string(file.getvalue())


class Attention(nn.Module):  # type: ignore[misc]
    """Two layers of a transformer, which turns samples and steps around inside."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, activation="gelu")
        self.body = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.out = nn.Linear(8, 3)

    def forward(self, x: Any) -> Any:
        return self.out(self.body(x.transpose(0, 1)).mean(0))


def conv(before: int, after: int, **options: Any) -> Any:
    return nn.Conv2d(before, after, 3, **options)


NETWORKS: dict[str, tuple[Callable[[], Any], tuple[int, ...]]] = {
    "convolutions": (
        lambda: nn.Sequential(
            conv(2, 6, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(3, 2, 1),
            conv(6, 6, groups=3, stride=2), nn.SiLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
            nn.Linear(6, 3),
        ),
        (2, 9, 9),
    ),
    "back and forth": (
        lambda: nn.Sequential(
            conv(2, 4, stride=2), nn.ELU(), nn.ConvTranspose2d(4, 3, 3, 2, 1, 1), nn.Mish(),
            nn.Upsample(scale_factor=2, mode="bilinear"), nn.AvgPool2d(3, 2, 1), nn.Flatten(),
            nn.LazyLinear(3),
        ),
        (2, 9, 9),
    ),
    "normalizations": (
        lambda: nn.Sequential(
            conv(2, 4), nn.GroupNorm(2, 4), nn.Hardswish(), conv(4, 4), nn.InstanceNorm2d(4),
            nn.PReLU(4), nn.Flatten(2), nn.LayerNorm(25), nn.LeakyReLU(), nn.Flatten(),
            nn.Linear(100, 3),
        ),
        (2, 9, 9),
    ),
    "attention": (Attention, (5, 8)),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_networks(name: str) -> None:
    make, shape = NETWORKS[name]
    torch.manual_seed(0)
    module, x = make(), torch.randn(6, *shape)
    module.eval()(x)
    labels = torch.arange(6) % 3
    proto = exported(module, x)
    model = loaded(proto)
    weights = [weight.name for weight in find_weights(model)]
    made = Gradients(model, HERE, ["y"], wrt=["x"], weights=weights)
    forward = made.run({"x": x.numpy()})
    loss = cross_entropy(forward.outputs[0], labels.numpy())
    backward = forward.backward(loss.gradient)
    x.requires_grad_()
    scores = module(x)
    values = F.cross_entropy(scores, labels, reduction="none")
    values.sum().backward(retain_graph=True)
    np.testing.assert_allclose(loss.values, values.detach().numpy(), atol=1e-5)
    close(backward.gradient("x"), x.grad.numpy())
    known = dict(module.named_parameters())
    shared = [name for name in weights if name in known]
    assert shared
    for weight in shared:
        each = [
            torch.autograd.grad(value, known[weight], retain_graph=True)[0].numpy()
            for value in values
        ]
        close(backward.weight(weight).each(), np.stack(each))


def close(ours: np.ndarray, theirs: np.ndarray) -> None:
    np.testing.assert_allclose(ours, theirs, atol=1e-5 * np.abs(theirs).max())


KINKS = {
    "Relu": (torch.relu, {}),
    "LeakyRelu": (lambda x: F.leaky_relu(x, 0.1), {"alpha": 0.1}),
    "Elu": (F.elu, {}),
    "Selu": (F.selu, {}),
    "Celu": (F.celu, {}),
    "Abs": (torch.abs, {}),
    "HardSigmoid": (F.hardsigmoid, {"alpha": 1 / 6, "beta": 0.5}),
    "HardSwish": (F.hardswish, {}),
    "ThresholdedRelu": (lambda x: F.threshold(x, 1.0, 0.0), {"alpha": 1.0}),
    "Softsign": (F.softsign, {}),
    "ReduceMax": (lambda x: torch.amax(x, 1, keepdim=True), {"axes": [1]}),
    "ReduceL2": (lambda x: torch.linalg.vector_norm(x, dim=1, keepdim=True), {"axes": [1]}),
    "ReduceL1": (lambda x: torch.linalg.vector_norm(x, 1, dim=1, keepdim=True), {"axes": [1]}),
    "ReduceProd": (lambda x: torch.prod(x, 1, keepdim=True), {"axes": [1]}),
}


@pytest.mark.parametrize("op", KINKS)
def test_where_derivatives_jump(op: str) -> None:
    function, attributes = KINKS[op]
    x = np.array([[0, 1, -1, 3, -3, 2, 3], [0] * 7, [1, 1, 1, 1, 0, 0, 1]], np.float32)
    compare([helper.make_node(op, ["x"], ["y"], **attributes)], function, x)


@pytest.mark.parametrize(("kernel", "stride", "pad"), [(2, 2, 0), (3, 2, 1), (3, 1, 1)])
def test_maxima_that_tie(kernel: int, stride: int, pad: int) -> None:
    x = np.random.default_rng(0).integers(0, 3, (2, 2, 6, 6)).astype(np.float32)
    node = helper.make_node(
        "MaxPool", ["x"], ["y"], kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4
    )
    compare([node], lambda x: F.max_pool2d(x, kernel, stride, pad), x)
    compare([helper.make_node("GlobalMaxPool", ["x"], ["y"])],
            lambda x: F.adaptive_max_pool2d(x, 1), x)  # fmt: skip


def test_extremes_and_bounds_that_tie() -> None:
    x, other = apart(3, 4), apart(3, 4)
    other[0] += 1
    weights = {"o": other, "low": np.float32(x[0, 0]), "high": np.float32(x[1, 1])}
    low, high = sorted([weights["low"], weights["high"]])
    weights |= {"low": low, "high": high}
    for op, function in (("Max", torch.maximum), ("Min", torch.minimum)):
        node = helper.make_node(op, ["x", "o"], ["y"])
        compare([node], lambda x, f=function: f(x, torch.tensor(other)), x, **weights)
    node = helper.make_node("Clip", ["x", "low", "high"], ["y"])
    compare([node], lambda x: torch.clamp(x, float(low), float(high)), x, **weights)


def compare(
    nodes: list[onnx.NodeProto], function: Any, x: np.ndarray, **weights: np.ndarray
) -> None:
    proto = model_of(nodes, {"x": x}, ["y"], {n: np.asarray(w) for n, w in weights.items()})
    forward = Gradients(loaded(proto), HERE, ["y"], wrt=["x"]).run({"x": x})
    seed = apart(*forward.outputs[0].shape, seed=1)
    tensor = torch.tensor(x, requires_grad=True)
    function(tensor).backward(torch.tensor(seed))
    found = forward.backward(seed).arrays["x"]
    np.testing.assert_allclose(found, tensor.grad.numpy(), rtol=1e-5, atol=1e-6)
