"""Measures of likeness: what they do not see, what they hold against each other, their limits."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from onnxmem.comparing.likeness import (
    NEIGHBOURS,
    kappa,
    linear_cka,
    nearest_others,
    neighbour_overlap,
)
from onnxmem.neighbours import Projection
from onnxmem.neighbours.search import one_by_one

RNG = np.random.default_rng


def features(seed: int, samples: int = 60, width: int = 8) -> np.ndarray:
    return RNG(seed).standard_normal((samples, width)).astype(np.float32)


def test_rotation_shift_and_scale_are_not_seen() -> None:
    one = features(0)
    turned = one @ np.linalg.qr(features(1, 8))[0]
    assert linear_cka(one, 3 * turned + 5) == pytest.approx(1, abs=1e-6)
    assert neighbour_overlap(*(nearest_others(f, one_by_one) for f in (one, turned))) > 0.95


def test_layers_of_many_features_are_not_alike_by_chance() -> None:
    found = [linear_cka(features(2 * s, 50, 400), features(2 * s + 1, 50, 400)) for s in range(20)]
    assert abs(np.mean([one for one in found if one is not None])) < 0.02


def test_it_is_the_estimate_of_song_et_al() -> None:
    x, y = features(0, 30), features(1, 30) + features(0, 30)

    def hsic(one: np.ndarray, other: np.ndarray) -> float:
        n = len(one)
        k, m = (matrix @ matrix.T for matrix in (one.astype(float), other.astype(float)))
        np.fill_diagonal(k, 0)
        np.fill_diagonal(m, 0)
        whole = np.trace(k @ m) + k.sum() * m.sum() / ((n - 1) * (n - 2))
        return float(whole - 2 / (n - 2) * (k @ m).sum())

    expected = hsic(x, y) / np.sqrt(hsic(x, x) * hsic(y, y))
    assert linear_cka(x, y) == pytest.approx(expected, rel=1e-6)


def test_what_does_not_vary_is_like_nothing() -> None:
    assert linear_cka(np.full((20, 3), 7.5, np.float32), features(0, 20)) is None
    assert linear_cka(features(0, 3), features(1, 3)) is None


def test_neighbours_of_layers_that_have_nothing_in_common_are_shared_by_chance() -> None:
    near = [nearest_others(features(seed, 400), one_by_one) for seed in (0, 1)]
    assert neighbour_overlap(*near) == pytest.approx(NEIGHBOURS / 399, abs=0.01)


def test_kappa_is_agreement_beyond_chance() -> None:
    one = np.array([0] * 45 + [1] * 15 + [0] * 25 + [1] * 15)
    other = np.array([0] * 45 + [0] * 15 + [1] * 25 + [1] * 15)
    found = kappa(one, other, 0)
    assert found is not None
    assert found.value == pytest.approx((0.6 - 0.54) / 0.46)
    assert found.low < found.value < found.high
    assert kappa(one, one, 0) == pytest.approx(kappa(other, other, 0))


def test_kappa_of_strangers_is_about_none() -> None:
    found = kappa(RNG(0).integers(0, 10, 3000), RNG(1).integers(0, 10, 3000), 0)
    assert found is not None and found.low < 0 < found.high < 0.05


def test_one_answer_to_everything_has_no_kappa() -> None:
    assert kappa(np.full(9, -1), np.full(9, -1), 0) is None


def test_a_device_gives_the_same(fake: ModuleType) -> None:
    x, y = features(0), features(0) + features(1)
    expected = linear_cka(x, y), nearest_others(x, one_by_one).rows
    on_device = fake.asarray(x), fake.asarray(y)
    assert linear_cka(*on_device) == pytest.approx(expected[0], rel=1e-9)
    assert (nearest_others(on_device[0], one_by_one).rows == expected[1]).all()


def test_what_a_projection_adds_is_taken_off() -> None:
    common = RNG(0).standard_normal((200, 1500)) / np.arange(1, 1501) ** 0.5
    layers = [
        (common + share * RNG(seed).standard_normal((200, 1500)) / 40).astype(np.float32)
        for seed, share in ((1, 1.0), (2, 4.0))
    ]
    exact = linear_cka(*layers)
    short = [
        linear_cka(*(Projection(seed, 2**28)(layer) for layer in layers), projected=(256, 256))
        for seed in range(4)
    ]
    assert exact is not None and 0.3 < exact < 0.95
    assert np.mean([one for one in short if one is not None]) == pytest.approx(exact, abs=0.03)
    raw = linear_cka(*(Projection(0, 2**28)(layer) for layer in layers))
    assert raw is not None and raw < exact - 0.03
