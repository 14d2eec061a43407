"""Positions that only fill a sample up take no part; which these are is tried, not guessed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from text_networks import write

from onnxmem.network.clock import Clock
from onnxmem.network.evaluation import Grouping, evaluate
from onnxmem.network.features import INPUT, Place, collect
from onnxmem.network.layer_run import LayerRun
from onnxmem.network.opening import Opened, open_network
from onnxmem.network.padding import Padding
from onnxmem.network.settings import RunSettings

POSITIONS, WORDS, WIDTH = 6, 20, 8

WEIGHTS = {"table": (WORDS, WIDTH), "w": (WIDTH, WIDTH), "v": (WIDTH, 3)}
IS_REAL, IS_FILLED = "Identity(mask)", "Sub(one, mask)"


def network(folder: Path, real: str = IS_REAL, use: str = "Mul") -> Path:
    """Write a network that adds up what it makes of the words that are `real`."""
    text = f"""(int64[N,6] ids, int64[N,6] mask) => (float[N,3] y) {{
        one = Constant<value = int64[1] {{1}}>()  last = Constant<value = int64[1] {{2}}>()
        e = Gather(table, ids)  m = MatMul(e, w)  r = Relu(m)
        real = {real}  f = Cast<to = 1>(real)  c = Unsqueeze(f, last)  k = {use}(r, c)
        s = ReduceSum<keepdims = 0>(k, one)  y = MatMul(s, v)
    }}"""
    return write(folder / "net.onnx", text, **WEIGHTS)


def data(samples: int = 60) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    lengths = rng.integers(2, POSITIONS, size=samples)
    mask = (np.arange(POSITIONS) < lengths[:, None]).astype(np.int64)
    ids = rng.integers(1, WORDS, size=(samples, POSITIONS)) * mask
    return {"ids": ids, "mask": mask, "y": rng.integers(3, size=samples)}


@contextmanager
def opened(path: Path, arrays: dict[str, np.ndarray]) -> Iterator[Opened]:
    with open_network(path, arrays, RunSettings()) as found:
        yield found


def test_a_mask_is_found_and_told(tmp_path: Path) -> None:
    with opened(network(tmp_path), data()) as found:
        assert found.padding == Padding("mask", 1)
        assert "positions are padded (mask) and take no part" in found.info.notes[-1]


def test_a_mask_may_mark_what_is_left_out(tmp_path: Path) -> None:
    arrays = data()
    arrays["mask"] = 1 - arrays["mask"]
    with opened(network(tmp_path, IS_FILLED), arrays) as found:
        assert found.padding == Padding("mask", 0)


def test_zeros_and_ones_that_hide_nothing_are_no_mask(tmp_path: Path) -> None:
    with opened(network(tmp_path, use="Add"), data()) as found:
        assert found.padding is None


@pytest.mark.parametrize("whole", [True, False])
def test_without_padding_nothing_changes(tmp_path: Path, whole: bool) -> None:
    arrays = data()
    arrays["mask"][:] = 1 if whole else arrays["mask"][0]
    with opened(network(tmp_path), arrays) as found:
        assert (found.padding is None) is whole


def test_what_stands_at_padded_positions_reaches_no_feature(tmp_path: Path) -> None:
    arrays = data()
    other = dict(arrays, ids=np.where(arrays["mask"] == 1, arrays["ids"], 7))
    layers = []
    for one in (arrays, other):
        with opened(network(tmp_path), one) as found:
            rows, places = np.arange(60), (Place(INPUT), Place("r", 2))
            inputs = found.samples.inputs
            with collect(found.network, inputs, {}, rows, places, padding=found.padding) as kept:
                layers.append({name: np.array(array) for name, array in kept.layers.items()})
    for name in (INPUT, "r"):
        np.testing.assert_array_equal(layers[0][name], layers[1][name])


def test_padded_positions_are_no_rows_of_the_matrix_and_stay_as_they_are(tmp_path: Path) -> None:
    arrays = data()
    with opened(network(tmp_path), arrays) as found:
        how = Grouping(10, ("mixed",), None, 0)
        evaluation = evaluate(found, np.arange(60, dtype=np.uint64), how, Clock())
        run = LayerRun(found.sites[0], evaluation)
        activations = run.capture("mixed", 0)
        rows = evaluation.selection.rows[evaluation.batches("mixed")[0].rows]
        matrix = activations.matrix()
        assert len(matrix) == arrays["mask"][rows].sum()
        (changed,) = activations.tensors(np.zeros_like(matrix))
        real = arrays["mask"][rows] == 1
        (piece,) = activations.pieces
        assert not changed[real].any()
        np.testing.assert_array_equal(changed[~real], piece.tensor[~real])
        (same,) = activations.tensors(matrix)
        np.testing.assert_array_equal(same, piece.tensor)
