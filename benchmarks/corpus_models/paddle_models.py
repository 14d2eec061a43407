"""Paddle networks through paddle2onnx."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import onnx
import paddle
import paddle2onnx
from paddle import nn

from corpus_models import Made, Truth


class Block(nn.Layer):
    """Two convolutions and a shortcut."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2D(8, 8, 3, padding=1), nn.Conv2D(8, 8, 3, padding=1)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        return nn.functional.relu(x + self.two(nn.functional.relu(self.one(x))))


def mlp() -> nn.Layer:
    return nn.Sequential(
        nn.Linear(12, 24), nn.ReLU(), nn.Linear(24, 20), nn.ReLU(), nn.Linear(20, 5)
    )


def cnn() -> nn.Layer:
    return nn.Sequential(
        nn.Conv2D(3, 8, 3, padding=1), nn.BatchNorm2D(8), nn.ReLU(), nn.MaxPool2D(2),
        nn.Conv2D(8, 14, 3), nn.ReLU6(), nn.Flatten(), nn.Linear(14 * 16, 5), nn.Softmax(),
    )  # fmt: skip


def residual() -> nn.Layer:
    return nn.Sequential(nn.Conv2D(3, 8, 3), nn.ReLU(), Block(), Block(),
                         nn.AdaptiveAvgPool2D(1), nn.Flatten(), nn.Linear(8, 5))  # fmt: skip


def mobile() -> nn.Layer:
    return nn.Sequential(
        nn.Conv2D(3, 8, 3), nn.Hardswish(), nn.Conv2D(8, 8, 3, groups=8), nn.ReLU(),
        nn.AdaptiveAvgPool2D(1), nn.Conv2D(8, 6, 1), nn.Hardsigmoid(), nn.Flatten(),
        nn.Linear(6, 5),
    )  # fmt: skip


def made(build: Callable[[], nn.Layer], shape: tuple[int, ...], truth: Truth) -> Made:
    paddle.seed(0)
    net = build()
    net.eval()
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "net")
        spec = [paddle.static.InputSpec([None, *shape], "float32", "x")]
        paddle.jit.save(net, path, spec)
        program = next(p for p in (f"{path}.json", f"{path}.pdmodel") if Path(p).exists())
        target = str(Path(folder) / "net.onnx")
        paddle2onnx.export(program, f"{path}.pdiparams", target, opset_version=13)
        return Made("Paddle, paddle2onnx", onnx.load(target), truth)


IMAGE = (3, 12, 12)
MODELS: dict[str, Callable[[], Made]] = {
    "paddle-mlp": partial(made, mlp, (12,), Truth((24, 20))),
    "paddle-cnn": partial(made, cnn, IMAGE, Truth((8, 14))),
    "paddle-residual": partial(made, residual, IMAGE, Truth((8,) * 5)),
    "paddle-mobile": partial(made, mobile, IMAGE, Truth((8,))),
}
