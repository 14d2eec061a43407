"""Units that are switched off until a sample loses its label."""

from __future__ import annotations

from pathlib import Path

import layered_networks as layered
import numpy as np
import pytest
from sample_networks import Sample

from onnxmem.locating import units
from onnxmem.locating.crowd import Crowd
from onnxmem.locating.masking import Masked
from onnxmem.locating.units import flip_units
from onnxmem.network.opening import open_network
from onnxmem.network.settings import RunSettings
from onnxmem.records import Units


def flipped(path: Path, x: np.ndarray, crowd: Crowd, most: int = 4) -> Units:
    arrays = {"x": x, "y": np.zeros(len(x), np.int64)}
    with open_network(path, arrays, RunSettings(device="cpu")) as opened:
        return flip_units(opened, crowd, most, 0, lambda done, total: None)


def test_masks_switch_units_off_for_each_sample_and_give_first_order_changes(
    tmp_path: Path,
) -> None:
    x, y = layered.samples()
    network = layered.dense(1)
    path = layered.write(tmp_path / "a.onnx", network)
    arrays = {"x": x, "y": y}
    rng = np.random.default_rng(0)
    masks = (rng.random((len(x), 2 * layered.UNITS)) > 0.3).astype(np.float32)
    parts = (masks[:, : layered.UNITS], masks[:, layered.UNITS :])
    with open_network(path, arrays, RunSettings(device="cpu")) as opened:
        masked = Masked(opened, np.arange(len(x)))
        assert masked.units == 2 * layered.UNITS
        outputs, gradients = masked.leads(np.arange(len(x)), masks, y)
    np.testing.assert_allclose(outputs, network.logits(x, parts), rtol=1e-4, atol=1e-4)

    def leads(factors: np.ndarray) -> np.ndarray:
        split = (factors[:, : layered.UNITS], factors[:, layered.UNITS :])
        logits = network.logits(x.astype(np.float64), split)
        own = logits[np.arange(len(y)), y]
        logits[np.arange(len(y)), y] = -np.inf
        return np.asarray(own - logits.max(axis=1))

    step = 1e-6
    for unit in range(2 * layered.UNITS):
        moved = [masks.astype(np.float64) for _ in range(2)]
        for one, sign in zip(moved, (1, -1), strict=True):
            one[:, unit] += sign * step
        slope = (leads(moved[0]) - leads(moved[1])) / (2 * step)
        np.testing.assert_allclose(gradients[:, unit], slope, rtol=1e-2, atol=1e-3)


def test_only_fitted_samples_are_flipped_and_masks_really_flip_them(mlp: Sample) -> None:
    crowd = Crowd(np.arange(len(mlp.y)), mlp.y == 1, mlp.y)
    found = flipped(mlp.path, mlp.x, crowd)
    assert [one.suspect for one in found.samples] == [True] * 4 + [False] * 4
    assert all(one.margin > 0 for one in found.samples)
    assert all(one.units is None or 1 <= one.units <= found.most for one in found.samples)
    assert found.suspect.samples == found.clean.samples == 4
    assert found.reason == ""
    for field in ("clean_share", "suspect_share"):
        assert sum(getattr(one, field) for one in found.layers) == pytest.approx(1)


def test_chosen_units_are_no_more_than_drawn_ones_on_the_whole(mlp: Sample) -> None:
    crowd = Crowd(np.arange(len(mlp.y)), mlp.y == 1, mlp.y)
    found = flipped(mlp.path, mlp.x, crowd, most=12)
    total = sum((one.units or 65) - (one.random_units or 65) for one in found.samples)
    assert total < 0


def test_what_needs_more_units_than_are_tried_is_none(
    mlp: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(units, "MOST_UNITS", 0)
    crowd = Crowd(np.arange(len(mlp.y)), mlp.y == 1, mlp.y)
    found = flipped(mlp.path, mlp.x, crowd)
    assert {one.units for one in found.samples} == {None}
    assert (found.suspect.units, found.suspect.flipped, found.suspect.harm) == (None, 0, None)


def test_a_network_that_fits_no_suspect_is_a_reason(mlp: Sample) -> None:
    wrong = (mlp.y + 1) % 4
    crowd = Crowd(np.arange(len(mlp.y)), mlp.y == 1, np.where(mlp.y == 1, wrong, mlp.y))
    found = flipped(mlp.path, mlp.x, crowd)
    assert found.samples == ()
    assert "fits too few suspects" in found.reason


def test_channels_of_a_convolution_are_units(cnn: Sample) -> None:
    crowd = Crowd(np.arange(len(cnn.y)), cnn.y == 1, cnn.y)
    found = flipped(cnn.path, cnn.x, crowd)
    assert [(one.tensor, one.units) for one in found.layers] == [
        ("stem", 6),
        ("inner", 6),
        ("joined", 6),
    ]
