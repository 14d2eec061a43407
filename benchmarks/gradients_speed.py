"""How long gradients of an exported network take, beside PyTorch on the same network.

`gradients.py` writes what this measures into its page. Needs torch.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from onnxmem import graph, models
from onnxmem.data import load
from onnxmem.gradients import Gradients, cross_entropy, find_weights, logits
from onnxmem.runtime import CPU, Device

HERE = Device(CPU, 0, "for the benchmark")
TOLERANCE = 1e-4
"""Of the largest gradient; what float32 rounds off is far within."""

SAMPLES, ROUNDS = 256, 15
NETWORK = "mnist-cnn-p40"


def row(*cells: object) -> str:
    """Return a line of a table in Markdown."""
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def speed() -> Iterator[str]:
    """Yield how long a batch takes, beside PyTorch on the same network."""
    yield "## Speed"
    yield ""
    try:
        import torch
    except ImportError:
        yield "Not measured, as PyTorch is not installed."
        return
    network = models.network(NETWORK)
    arrays = load(network.data_path)
    x = np.asarray(arrays["x"][:SAMPLES], np.float32)
    y = np.asarray(arrays["y"][:SAMPLES])
    torch.set_num_threads(1)
    with threadpool_limits(1):
        ours, theirs, norms = timed(graph.load(network.path), x, y)
    yield (
        f"{SAMPLES} samples of `{NETWORK}`, gradients of the loss at the input; one thread each, "
        f"by turns; median (least) of {ROUNDS} rounds in milliseconds of processor time."
    )
    yield ""
    ours, theirs = (np.column_stack([one, one.sum(axis=1)]) for one in (ours, theirs))
    yield row("", "forward", "backward", "both")
    yield row("---", "---:", "---:", "---:")
    for name, times in (("onnxmem", ours), ("PyTorch", theirs)):
        yield row(name, *(f"{np.median(one):.0f} ({np.min(one):.0f})" for one in times.T))
    ratios = np.median(ours, axis=0) / np.median(theirs, axis=0)
    least = ours.min(axis=0) / theirs.min(axis=0)
    yield row("ratio", *(f"{a:.2f} ({b:.2f})" for a, b in zip(ratios, least, strict=True)))
    yield ""
    yield (
        f"Squared norms of the gradients of all weights for each of the {SAMPLES} samples take "
        f"{np.median(norms):.0f} ms more."
    )


def timed(
    model: graph.Model, x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return milliseconds (rounds, forward and backward) of both, and those of norms (rounds,)."""
    import torch

    fed, output = model.inputs[0].name, logits(model, model.outputs[0].name)
    weights = [weight.name for weight in find_weights(model)]
    made = Gradients(model, HERE, [output], wrt=[fed])
    with_weights = Gradients(model, HERE, [output], weights=weights)
    module = Replayed(model, output)
    labels = torch.tensor(y.astype(np.int64))
    ours, theirs, norms = [], [], []
    for _ in range(ROUNDS + 1):
        clock = Clock()
        forward = made.run({fed: x})
        clock.lap()
        backward = forward.backward(cross_entropy(forward.outputs[0], y).gradient)
        ours.append(clock.lap().laps)
        tensor = torch.tensor(x, requires_grad=True)
        clock = Clock()
        scores = module(tensor)
        clock.lap()
        torch.nn.functional.cross_entropy(scores, labels, reduction="sum").backward()
        theirs.append(clock.lap().laps)
        gap = np.abs(backward.arrays[fed] - tensor.grad.numpy()).max()
        assert gap <= TOLERANCE * np.abs(backward.arrays[fed]).max()
        forward = with_weights.run({fed: x})
        backward = forward.backward(cross_entropy(forward.outputs[0], y).gradient)
        backward.weight(weights[0]).squared_norms()
        clock = Clock()
        for name in weights:
            backward.weight(name).squared_norms()
        norms += clock.lap().laps
    return np.array(ours[1:]), np.array(theirs[1:]), np.array(norms[1:])


class Clock:
    """Takes milliseconds of processor time from lap to lap."""

    def __init__(self) -> None:
        self.laps: list[float] = []
        self._last = time.process_time()

    def lap(self) -> Clock:
        now = time.process_time()
        self.laps.append(1000 * (now - self._last))
        self._last = now
        return self


class Replayed:
    """The nodes of a plain convolutional network as calls of PyTorch."""

    def __init__(self, model: graph.Model, output: str) -> None:
        import torch

        self.output, self.fed = output, model.inputs[0].name
        self.steps = graph.steps(model)
        self.constants = {
            name: torch.tensor(graph.constant(model, name)) for name in graph.constants(model)
        }

    def __call__(self, x: Any) -> Any:
        import torch
        from torch.nn import functional

        found = {**self.constants, self.fed: x}
        calls = {
            "Conv": lambda given, x, *more: functional.conv2d(
                x, *more, padding=given.get("pads", (0,))[0]
            ),
            "Relu": lambda given, x: torch.relu(x),
            "MaxPool": lambda given, x: functional.max_pool2d(
                x, given["kernel_shape"], given["strides"]
            ),
            "Flatten": lambda given, x: x.flatten(1),
            "Gemm": lambda given, *inputs: functional.linear(*inputs),
        }
        for step in self.steps:
            inputs = [found[name] for name in step.inputs]
            operator = step.operator
            found[step.outputs[0]] = calls[operator.op](operator.attributes, *inputs)
        return found[self.output]
