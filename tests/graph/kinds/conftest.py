"""Networks between whose two layers stands what a test is about."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from onnxmem import graph

NUMBERS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "six": 6, "half": 0.5, "tenth": 0.1, "sixth": 1 / 6,
    "root": 1.4142135, "bend": 0.044715, "fraction": 0.7978846, "quick": 1.702, "minus": -1,
    "alpha": 1.6732632, "scale": 1.0507010, "fifth": 0.2, "tiny": 1e-4,
}  # fmt: skip
MICROSOFT = {"com.microsoft": 1}


@pytest.fixture
def between(network) -> Callable[..., graph.Model]:
    """Return a function that loads a network in which a text makes r from h, between two layers."""

    def load(body: str, **weights: object) -> graph.Model:
        text = f"""(float[N,4] x) => (float[N,4] y) {{
            h = MatMul(x, w)
            {body}
            y = MatMul(r, v)
        }}"""
        used = {name: np.float32(value) for name, value in NUMBERS.items() if name in body}
        options = {"opset": 22, "domains": MICROSOFT, "w": (4, 4), "v": (4, 4)}
        return graph.load(network(text, **options | used | weights))

    return load
