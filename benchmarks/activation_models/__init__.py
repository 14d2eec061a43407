"""Models without a ReLU whose activations are known because they were built here.

A module lists what it can make in `MODELS`, a dictionary from name to a function without arguments
that returns a `Made`. Modules of exporters that are not installed fail to import, and are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import onnx

MAKERS = ("torch_models", "variants", "keras_models", "jax_models")


@dataclass(frozen=True)
class Truth:
    """What there is to be found in a model.

    Attributes:
        sites: for each site that is taken by default its kind and the number of its features, in
            the order of the network.
        lookalikes: what may be mistaken for a site: gates inside of activations, of squeeze and
            excitation, softmax of attention, heads.
    """

    sites: tuple[tuple[str, int], ...]
    lookalikes: int = 0


@dataclass(frozen=True)
class Made:
    """A model and what is in it."""

    exporter: str
    proto: onnx.ModelProto
    truth: Truth
