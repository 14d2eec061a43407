"""Heads begin at an earlier cut where that changes nothing, to the bit."""

from __future__ import annotations

from typing import Any

import pytest
from sample_networks import Sample

import onnxmem
from onnxmem.network.activations import Activations
from onnxmem.network.split_network import SplitNetwork


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[SplitNetwork]:
    """Give the networks that are split, in their order."""
    found: list[SplitNetwork] = []
    begin = SplitNetwork.__init__

    def noted(split: SplitNetwork, *given: Any) -> None:
        begin(split, *given)
        found.append(split)

    monkeypatch.setattr(SplitNetwork, "__init__", noted)
    return found


def test_heads_begin_at_the_cut_before(mlp: Sample, made: list[SplitNetwork]) -> None:
    report = onnxmem.audit(mlp.path, mlp.x, mlp.y, compress=["pca"], samples=False)
    begun = {split.cut.tensor for split in made if split._earlier is not None}
    assert begun == {layer.tensor for layer in report.layers[1:]}


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_a_layer_has_the_same_curves_whichever_others_are_measured(
    name: str, request: pytest.FixtureRequest
) -> None:
    sample: Sample = request.getfixturevalue(name)
    options: dict[str, Any] = {"compress": ["nmf", "pca"], "samples": False, "per_class": 10}
    whole = onnxmem.audit(sample.path, sample.x, sample.y, **options)
    for layer in whole.layers:
        alone = onnxmem.audit(sample.path, sample.x, sample.y, layers=[layer.tensor], **options)
        assert alone.layers[0].curves == layer.curves
        assert alone.layers[0].cut == layer.cut


def test_heads_begin_at_the_inputs_where_the_last_bit_differs(
    mlp: Sample, made: list[SplitNetwork], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Activations, "equals", lambda one, other: False)
    report = onnxmem.audit(mlp.path, mlp.x, mlp.y, compress=["pca"], samples=False)
    last = {split.cut.tensor: split for split in made}
    assert all(last[layer.tensor]._earlier is None for layer in report.layers)


def test_heads_begin_at_the_inputs_where_the_memory_does_not_hold_two_layers(
    cnn: Sample, made: list[SplitNetwork], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onnxmem.network.trail.Captured.nbytes", property(lambda _: 2**60))
    report = onnxmem.audit(cnn.path, cnn.x, cnn.y, compress=["pca"], samples=False)
    assert made[-1]._earlier is None
    assert all(layer.curves for layer in report.layers)
