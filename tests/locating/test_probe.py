"""Linear probes: each sample is predicted from all others."""

from __future__ import annotations

import numpy as np
import pytest
from sample_networks import Sample

from onnxmem.locating.crowd import Crowd
from onnxmem.locating.probe import PENALTIES, Ridge, probe
from onnxmem.network.opening import open_network
from onnxmem.network.settings import RunSettings
from onnxmem.records import Probes


@pytest.mark.parametrize("shape", [(30, 5), (12, 40)])
@pytest.mark.parametrize("penalty", PENALTIES)
def test_leaving_one_out_is_fitting_without_it(shape: tuple[int, int], penalty: float) -> None:
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=shape), rng.integers(0, 3, shape[0])
    targets = np.eye(3)[labels]
    ridge = Ridge(x)
    found = ridge._left_out(targets, penalty)
    centred = x - x.mean(axis=0)
    values = np.linalg.eigvalsh(centred.T @ centred)
    strength = penalty * values[values > 1e-9].mean()
    columns = np.hstack([centred, np.ones((len(x), 1))])
    cost = np.diag([strength] * shape[1] + [0.0])
    for left in range(len(x)):
        others = np.delete(columns, left, axis=0)
        weights = np.linalg.solve(others.T @ others + cost, others.T @ np.delete(targets, left, 0))
        np.testing.assert_allclose(found[left], columns[left] @ weights, rtol=1e-6, atol=1e-8)


def probed(sample: Sample, labels: np.ndarray, suspect: np.ndarray) -> Probes:
    arrays = {"x": sample.x, "y": labels}
    crowd = Crowd(np.arange(len(labels)), suspect, labels)
    with open_network(sample.path, arrays, RunSettings(device="cpu")) as opened:
        return probe(opened, crowd, "all", 0, lambda done, total: None)


def test_labels_that_a_layer_holds_are_read_and_permuted_ones_are_not(mlp: Sample) -> None:
    found = probed(mlp, mlp.y, mlp.y == 0)
    assert [one.tensor for one in found.layers] == ["input", "relu1", "relu2"]
    for one in found.layers:
        assert (one.clean_accuracy or 0) > 0.9 and (one.suspect_accuracy or 0) > 0.9
        assert (one.permuted_accuracy or 0) < 0.5


def test_labels_that_no_layer_holds_are_not_read(mlp: Sample) -> None:
    wrong = np.arange(len(mlp.y)) % 6 == 0
    found = probed(mlp, np.where(wrong, (mlp.y + 1) % 4, mlp.y), wrong)
    assert max(one.suspect_accuracy or 0 for one in found.layers) < 0.5


def test_features_without_any_variance_are_no_error() -> None:
    labels = np.array([0, 1, 1, 1, 0])
    assert Ridge(np.ones((5, 3), np.float32)).predict(labels).shape == (5,)
