"""Heads begin at an earlier cut, and capture what they would capture from the inputs on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sample_networks import Sample

import onnxmem
from onnxmem.network.split_network import SplitNetwork


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_captures_from_an_earlier_cut_are_those_from_the_inputs(
    name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample: Sample = request.getfixturevalue(name)
    capture, begun = SplitNetwork.capture, []

    def compared(split: SplitNetwork, rows: np.ndarray, axis: int, step: int, key: Any) -> Any:
        found = capture(split, rows, axis, step, key)
        if split._earlier is not None:
            begun.append(split.cut.tensor)
            plain = SplitNetwork(
                split.network, split.cut, split.inputs, split.shared, split.padding
            )
            (piece,), (other,) = found.pieces, capture(plain, rows, axis, step).pieces
            np.testing.assert_allclose(piece.tensor, other.tensor, rtol=1e-5, atol=1e-5)
            assert piece.others.keys() == other.others.keys()
            for crossing in piece.others:
                np.testing.assert_allclose(
                    piece.others[crossing], other.others[crossing], rtol=1e-5, atol=1e-5
                )
        return found

    monkeypatch.setattr(SplitNetwork, "capture", compared)
    report = onnxmem.audit(sample.path, sample.x, sample.y, compress=["pca"], samples=False)
    assert set(begun) == {layer.tensor for layer in report.layers[1:]}


def test_heads_begin_at_the_inputs_where_the_memory_does_not_hold_two_layers(
    cnn: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier: list[object] = []
    begin = SplitNetwork.__init__

    def noted(split: SplitNetwork, *given: Any) -> None:
        begin(split, *given)
        earlier.append(split._earlier)

    monkeypatch.setattr(SplitNetwork, "__init__", noted)
    monkeypatch.setattr("onnxmem.network.trail.Captured.nbytes", property(lambda _: 2**60))
    report = onnxmem.audit(cnn.path, cnn.x, cnn.y, compress=["pca"], samples=False)
    assert earlier[-1] is None
    assert all(layer.curves for layer in report.layers)
