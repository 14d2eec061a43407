"""A course of training that takes a second: a small network, some wrong labels, NumPy alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
from onnx import helper
from sample_networks import build

CLASSES, WIDTH, UNITS = 4, 16, 48
EPOCHS = (1, 2, 4, 10, 40, 160)
"""After which a checkpoint is written."""


@dataclass(frozen=True)
class Course:
    """Checkpoints in a folder, training samples with some wrong labels, and held-out ones."""

    paths: tuple[Path, ...]
    x: np.ndarray
    y: np.ndarray
    wrong: np.ndarray
    held_x: np.ndarray
    held_y: np.ndarray


def make(folder: Path) -> Course:
    """Write a course to a folder."""
    x, true, held_x, held_y = _samples()
    rng = np.random.default_rng(1)
    wrong = rng.random(len(true)) < 0.2
    y = np.where(wrong, (true + rng.integers(1, CLASSES, len(true))) % CLASSES, true)
    paths = []
    for epoch, weights in _states(tuple(y.tolist())):
        paths.append(folder / f"epoch_{epoch}.onnx")
        onnx.save(network(weights), paths[-1])
    return Course(tuple(paths), x, y, wrong, held_x, held_y)


def network(weights: dict[str, np.ndarray]) -> onnx.ModelProto:
    """Return a network of two hidden layers."""
    nodes = [
        helper.make_node("Gemm", ["x", "w1", "b1"], ["sum1"]),
        helper.make_node("Relu", ["sum1"], ["relu1"]),
        helper.make_node("Gemm", ["relu1", "w2", "b2"], ["sum2"]),
        helper.make_node("Relu", ["sum2"], ["relu2"]),
        helper.make_node("Gemm", ["relu2", "w3", "b3"], ["logits"]),
    ]
    return build(nodes, weights, ["batch", WIDTH], "logits")


@cache
def _samples() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    centres = 1.2 * rng.normal(size=(CLASSES, WIDTH))
    y = np.tile(np.arange(CLASSES), 90)
    x = (centres[y] + rng.normal(size=(len(y), WIDTH))).astype(np.float32)
    return x[:200], y[:200], x[200:], y[200:]


@cache
def _states(labels: tuple[int, ...]) -> list[tuple[int, dict[str, np.ndarray]]]:
    """Return epochs and the weights after them: Adam, batches of 20."""
    rng = np.random.default_rng(2)
    sizes = (WIDTH, UNITS, UNITS, CLASSES)
    weights = {}
    for number, (fan, width) in enumerate(pairwise(sizes), start=1):
        weights[f"w{number}"] = rng.normal(size=(fan, width)) * np.sqrt(2 / fan)
        weights[f"b{number}"] = np.zeros(width)
    x, y = _samples()[0], np.eye(CLASSES)[list(labels)]
    means = {name: np.zeros((2, *one.shape)) for name, one in weights.items()}
    states, step = [], 0
    for epoch in range(1, EPOCHS[-1] + 1):
        for rows in np.array_split(rng.permutation(len(x)), len(x) // 20):
            step += 1
            for name, slope in _slopes(weights, x[rows], y[rows]).items():
                means[name] += 0.1 * (np.stack([slope, slope**2]) - means[name])
                first, second = means[name] / (1 - 0.9**step)
                weights[name] = weights[name] - 0.003 * first / (np.sqrt(second) + 1e-8)
        if epoch in EPOCHS:
            states.append((epoch, {k: one.astype(np.float32) for k, one in weights.items()}))
    return states


def _slopes(weights: dict[str, np.ndarray], x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    """Return the gradients of the mean cross entropy."""
    one = np.maximum(x @ weights["w1"] + weights["b1"], 0)
    two = np.maximum(one @ weights["w2"] + weights["b2"], 0)
    logits = two @ weights["w3"] + weights["b3"]
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    top = (shares / shares.sum(axis=1, keepdims=True) - y) / len(x)
    middle = (top @ weights["w3"].T) * (two > 0)
    low = (middle @ weights["w2"].T) * (one > 0)
    pairs = {1: (x, low), 2: (one, middle), 3: (two, top)}
    return {
        name: part
        for number, (below, above) in pairs.items()
        for name, part in ((f"w{number}", below.T @ above), (f"b{number}", above.sum(axis=0)))
    }
