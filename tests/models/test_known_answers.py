"""What networks were shipped to show: trainings, starts and activations with known answers."""

from __future__ import annotations

from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

import onnxmem
from onnxmem import models
from onnxmem.records import SamplesReport

RECIPES = {network.name: network for network in models.family("mnist-mlp")}
Array = np.ndarray[Any, Any]


def rows(network: models.Network, split: str) -> tuple[Array, Array, Array]:
    """Return x, given and true labels of the samples of a split."""
    with np.load(network.data_path) as data:
        chosen = data["split"] == split
        return data["x"][chosen], data["y"][chosen], data["y_true"][chosen]


def logits(network: models.Network, x: Array) -> Array:
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(network.path, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(["logits"], {"x": x})[0])


def fitted_noise(network: models.Network) -> float:
    """Return the share of the training samples whose label is wrong and fitted."""
    x, given, true = rows(network, "train")
    fitted = logits(network, x).argmax(axis=1) == given
    return float(np.mean(fitted & (given != true)))


@cache
def samples(name: str) -> SamplesReport:
    network = models.network(name)
    return onnxmem.samples(network.path, network.data_path)


def test_the_memorized_share_orders_recipes_as_the_noise_that_they_fitted() -> None:
    true = {name: fitted_noise(network) for name, network in RECIPES.items()}
    found = {}
    for name in RECIPES:
        evidence = samples(name).network
        assert evidence is not None
        found[name] = evidence.memorized_share.value
    apart = [pair for pair in combinations(RECIPES, 2) if abs(true[pair[0]] - true[pair[1]]) > 0.02]
    assert len(apart) >= 12
    assert all((true[a] > true[b]) == (found[a] > found[b]) for a, b in apart)
    assert max(abs(found[name] - true[name]) for name in RECIPES) < 0.08


def test_recipes_against_noise_fit_less_of_it_and_are_better_on_new_samples() -> None:
    plain = RECIPES["mnist-mlp-p40"]
    for name, network in RECIPES.items():
        if network is not plain:
            assert fitted_noise(network) < fitted_noise(plain), name
            assert network.heldout_accuracy > plain.heldout_accuracy, name


def test_dropped_units_are_still_there_and_say_nothing() -> None:
    tied, dropped = (RECIPES[f"mnist-mlp-p40-{name}"] for name in ("tied", "tied-dropped"))
    assert tied.parameters == dropped.parameters
    x, _, _ = rows(tied, "heldout")
    assert not np.allclose(logits(tied, x), logits(dropped, x))


def test_without_a_relu_wrong_labels_are_found_as_well() -> None:
    network = models.network("mnist-cnn-gelu-p20")
    _, given, true = rows(network, "train")
    found = onnxmem.samples(network.path, network.data_path, kind=["auto"])
    fitted = np.array([one.fitted for one in found.samples])
    scores = np.array([one.score for one in found.samples])[fitted]
    wrong = (given != true)[fitted]
    assert np.mean(scores[wrong][:, None] > scores[~wrong]) >= 0.95


def test_without_a_relu_scores_fall_with_the_noise() -> None:
    scores: dict[str, list[float | None]] = {"nmf.mixed": [], "pca.mixed": []}
    for network in models.family("mnist-cnn-gelu"):
        x, given, _ = rows(network, "train")
        report = onnxmem.audit(
            network.path, x, given, batch=["mixed"], compress=["nmf", "pca"], per_class=20
        )
        for key, values in scores.items():
            values.append(report.summary[key].auc)
    for values in scores.values():
        assert None not in values
        assert values == sorted(values, reverse=True)  # type: ignore[type-var]
        assert values[0] - values[-1] > 0.1  # type: ignore[operator]


def alignment(a: Array, b: Array) -> float:
    """Return the linear centred kernel alignment of (samples, features) and (samples, others)."""
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    return float(np.sum((a.T @ b) ** 2) / np.linalg.norm(a.T @ a) / np.linalg.norm(b.T @ b))


def test_two_starts_say_the_less_alike_the_more_labels_are_noise() -> None:
    found = []
    for second in models.family("vowels-mlp-init1"):
        first = models.network(second.name.replace("-init1", ""))
        x, _, _ = rows(first, "heldout")
        found.append(alignment(logits(first, x), logits(second, x)))
    assert found == sorted(found, reverse=True)
    assert found[0] - found[-1] > 0.3


def test_a_course_fits_right_labels_before_wrong_ones() -> None:
    right, wrong = [], []
    checkpoints = models.family("mnist-course")
    x, given, true = rows(checkpoints[0], "train")
    for network in checkpoints:
        fitted = logits(network, x).argmax(axis=1) == given
        right.append(fitted[given == true].mean())
        wrong.append(fitted[given != true].mean())
    assert max(a - b for a, b in zip(right, wrong, strict=True)) > 0.8
    assert wrong[-1] > 0.98
    assert spearmanr([network.epochs for network in checkpoints], wrong).statistic > 0.8
