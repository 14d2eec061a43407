"""Models whose ReLUs are known because they were built here, one module for each way to make them.

A module lists what it can make in `MODELS`, a dictionary from name to a function without arguments
that returns a `Made`. Modules of exporters that are not installed fail to import, and are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import onnx

MAKERS = ("written", "torch_models", "variants", "sklearn_models", "keras_models", "jax_models",
          "paddle_models")  # fmt: skip


@dataclass(frozen=True)
class Truth:
    """What there is to be found in a model.

    Attributes:
        widths: for each ReLU the number of its features, in any order.
        closed: how many of them cannot be cut, whatever one does: they are in a body that runs
            many times, or nothing depends on them.
        lookalikes: gates of hand-written activations and guards, which are no ReLUs.
        samples: whether the first axis of the inputs counts samples that do not touch each other.
        bind: values of inputs that must be fixed.
    """

    widths: tuple[int, ...]
    closed: int = 0
    lookalikes: int = 0
    samples: bool = True
    bind: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Made:
    """A model and what is in it; `external` keeps its weights in a file of their own."""

    exporter: str
    proto: onnx.ModelProto
    truth: Truth
    external: bool = False
