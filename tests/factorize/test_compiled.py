"""What Numba compiles is what NumPy computes, of every shape."""

from __future__ import annotations

import gc
import os
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onnxmem.factorize import compressor, kernel, seeds
from onnxmem.factorize.target import Spectrum, Target

pytest.importorskip("numba")
from onnxmem.factorize import compiled
from onnxmem.factorize.compiled import jit, products

SIZES = st.sampled_from([1, 3, 8, 16, 50, 127, 128, 130, 300, 517, 1100])


def reference(monkeypatch: pytest.MonkeyPatch, function: Any, *given: Any) -> Any:
    """Return what the function gives without compiled loops."""
    with monkeypatch.context() as patch:
        patch.setattr(kernel, "compiled", lambda: None)
        return function(*given)


@settings(max_examples=60, deadline=None)
@given(k=st.integers(1, 70), c=SIZES, n=SIZES, p=st.integers(1, 2), seed=st.integers(0, 9))
def test_product_of_every_shape_is_numpys(k: int, c: int, n: int, p: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    factor, matrix = rng.random((p, k, c), np.float32), rng.random((p, c, n), np.float32)
    assert np.allclose(compiled.product(factor, matrix), factor @ matrix, rtol=1e-4)


@settings(max_examples=60, deadline=None)
@given(k=st.integers(1, 40), m=SIZES, seed=st.integers(0, 9))
def test_gram_matrix_is_numpys_and_symmetric(k: int, m: int, seed: int) -> None:
    factor = np.random.default_rng(seed).random((k, m), np.float32)
    gram = np.full((k, k), np.nan, np.float32)
    products.set_gram(factor, gram)
    assert np.allclose(gram, factor @ factor.T, rtol=1e-4)
    assert (gram == gram.T).all()


@settings(max_examples=40, deadline=None)
@given(k=st.integers(1, 20), m=SIZES, q=SIZES, seed=st.integers(0, 9))
def test_measures_of_every_shape_are_numpys(k: int, m: int, q: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, w, h = (rng.random(shape, np.float32) for shape in ((m, q), (k, m), (k, q)))
    w[w < 0.3] = 0
    with pytest.MonkeyPatch.context() as patch:
        measures = (kernel.squared_distance, (a, w, h)), (kernel.violation, (w, h @ h.T, h @ a.T))
        for function, given_ in measures:
            expected = reference(patch, function, *given_)
            assert function(*given_) == pytest.approx(expected, rel=1e-4)


def test_tiles_are_dropped_with_their_matrix() -> None:
    matrix = np.ones((1, 300, 500), np.float32)
    if not compiled.tile_bytes(300, 500):
        pytest.skip("this processor takes whole matrices")
    tiles = products.tiles_of(matrix, 0)
    assert products.tiles_of(matrix, 0).base is tiles.base
    kept = weakref.ref(tiles.base)
    del tiles, matrix
    gc.collect()
    assert kept() is None


@pytest.mark.parametrize("shape", [(304, 504), (300, 500)])
def test_no_tiles_of_the_whole_matrix_are_held_between_ranks(
    activations: Any, shape: tuple[int, int]
) -> None:
    before, a = set(products._KEPT), activations(*shape)
    components = compressor("nmf").fit(a, (1, 2, 40), 0)
    for rank in (1, 2, 40):
        approximation = components.approximate(a, rank)
        held = [products._KEPT[key] for key in set(products._KEPT) - before]
        assert all(tiles[0].size < a.size for tiles in held)
    assert set(products._KEPT) <= before
    assert approximation.shape == shape


def test_matrix_that_is_one_tile_is_not_copied() -> None:
    matrix = np.ones((2, 64, 32), np.float32)
    assert compiled.tile_bytes(64, 32) == 0
    assert np.shares_memory(products.tiles_of(matrix, 1), matrix)


@pytest.mark.parametrize(("rank", "more"), [(0, 1), (0, 5), (4, 1), (7, 6)])
@pytest.mark.parametrize("components", [20, 100])
def test_components_are_grown_as_numpy_grows_them(
    activations: Any, monkeypatch: pytest.MonkeyPatch, rank: int, more: int, components: int
) -> None:
    rng = np.random.default_rng(0)
    target = Target.whole(np.stack([activations(96, 80), activations(96, 80) ** 2]))
    target = Spectrum(target, seed=0).compressed(components)
    w, h = 0.1 * rng.random((2, rank, 96), np.float32), 0.1 * rng.random((2, rank, 80), np.float32)
    given_ = target, w, h, rank + more, 0
    found, expected = seeds.grow(*given_), reference(monkeypatch, seeds.grow, *given_)
    for ours, theirs in zip(found, expected, strict=True):
        assert np.allclose(ours, theirs, atol=1e-3 * theirs.max())


def test_nothing_is_grown_from_a_residual_of_zeros(monkeypatch: pytest.MonkeyPatch) -> None:
    target = Target.whole(np.zeros((1, 8, 16), np.float32))
    given_ = target, np.ones((1, 1, 8), "f"), np.zeros((1, 1, 16), "f"), 3, 0
    for grown in (seeds.grow(*given_), reference(monkeypatch, seeds.grow, *given_)):
        assert all(np.isfinite(factor).all() for factor in grown)
        assert not any(factor[:, 1:].any() for factor in grown)


@settings(max_examples=40, deadline=None)
@given(k=st.integers(2, 30), left=st.data(), seed=st.integers(0, 99))
def test_components_are_merged_as_numpy_merges_them(k: int, left: Any, seed: int) -> None:
    rank = left.draw(st.integers(1, k - 1))
    rng = np.random.default_rng(seed)
    w, h = rng.random((1, k, 60), np.float32) ** 2, rng.random((1, k, 40), np.float32) ** 2
    with pytest.MonkeyPatch.context() as patch:
        expected = reference(patch, seeds.merge, w, h, rank)
    for ours, theirs in zip(seeds.merge(w, h, rank), expected, strict=True):
        assert np.allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_what_was_compiled_before_a_module_changed_is_removed(tmp_path: Path) -> None:
    module, kept = tmp_path / "a.py", tmp_path / "__pycache__"
    kept.mkdir()
    old, new, other = (kept / name for name in ("a.1.nbi", "a.2.nbc", "a.pyc"))
    for path, time in [(old, 1), (module, 2), (new, 3), (other, 1)]:
        path.touch()
        os.utime(path, (time, time))
    jit._remove_stale(tmp_path)
    assert not old.exists()
    assert new.exists()
    assert other.exists()
