"""Layers correspond by their order and their number of features, wherever these lie."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from onnxmem.pairing.matching import align, match_layers
from onnxmem.records import Layer


def layer(name: str, shape: tuple[int | None, ...] | None, axis: int | None) -> Layer:
    return Layer(name, "Relu", 0, shape, axis, "skipped", "", None)


def dense(name: str, units: int) -> Layer:
    return layer(name, (None, units), 1)


def names(rows: list[tuple[Layer | None, ...]]) -> list[tuple[str | None, ...]]:
    return [tuple(one and one.tensor for one in row) for row in rows]


def test_channels_first_and_last_correspond() -> None:
    first = [layer("a", (None, 8, 28, 28), 1), layer("b", (None, 28, 14, 14), 1)]
    last = [layer("c", (None, 28, 28, 8), 3), layer("d", (None, 14, 14, 28), 3)]
    assert names(match_layers([first, last])) == [("a", "c"), ("b", "d")]


def test_an_extra_layer_stands_alone() -> None:
    plain = [dense("a", 8), dense("b", 16)]
    extra = [dense("c", 8), dense("more", 12), dense("d", 16)]
    assert names(match_layers([plain, extra])) == [("a", "c"), ("b", "d"), (None, "more")]
    assert names(match_layers([extra, plain])) == [("c", "a"), ("more", None), ("d", "b")]


def test_of_equal_widths_the_maps_of_equal_size_correspond() -> None:
    deep = [layer(n, (None, 8, s, s), 1) for n, s in (("a", 28), ("b", 28), ("c", 14))]
    flat = [layer(n, (None, s, s, 8), 3) for n, s in (("d", 28), ("e", 14))]
    assert names(match_layers([flat, deep]))[1] == ("e", "c")


def test_of_equal_widths_the_layers_of_equal_name_correspond() -> None:
    whole = [dense(name, 100) for name in ("relu1", "relu2", "relu3")]
    without = [dense(name, 100) for name in ("relu2", "relu3")]
    expected = [("relu1", None), ("relu2", "relu2"), ("relu3", "relu3")]
    assert names(match_layers([whole, without])) == expected


def test_an_unknown_width_fits_where_no_known_one_does() -> None:
    unknown = layer("b", None, None)
    assert align([dense("a", 4), unknown], [dense("c", 4), dense("d", 9)]) == [(0, 0), (1, 1)]
    assert align([unknown, dense("a", 9)], [dense("c", 9)]) == [(1, 0)]


def test_a_map_and_a_vector_of_one_width_do_not_correspond() -> None:
    maps, vector = layer("a", (None, 24, 7, 7), 1), dense("b", 24)
    assert align([maps], [vector]) == []
    assert align([layer("a", (None, 24, 1, 1), 1)], [vector]) == [(0, 0)]
    assert align([layer("a", (None, 12, 24), 2)], [layer("b", (None, 12, 24), 2)]) == [(0, 0)]


def test_models_without_layers() -> None:
    assert match_layers([[], []]) == []
    assert names(match_layers([[dense("a", 4)], []])) == [("a", None)]


widths = st.lists(st.integers(1, 4), max_size=7)


@given(one=widths, other=widths)
def test_an_alignment_keeps_order_and_width(one: list[int], other: list[int]) -> None:
    first = [dense(f"a{i}", units) for i, units in enumerate(one)]
    second = [dense(f"b{i}", units) for i, units in enumerate(other)]
    pairs = align(first, second)
    assert all(one[i] == other[j] for i, j in pairs)
    assert all(a < c and b < d for (a, b), (c, d) in pairwise(pairs))
    rows = match_layers([first, second])
    assert {row[0].tensor for row in rows if row[0]} == {layer.tensor for layer in first}
    assert {row[1].tensor for row in rows if row[1]} == {layer.tensor for layer in second}
    assert len(align(second, first)) == len(pairs)


@given(one=widths)
def test_a_model_corresponds_to_itself(one: list[int]) -> None:
    layers = [dense(f"a{i}", units) for i, units in enumerate(one)]
    assert align(layers, layers) == [(i, i) for i in range(len(one))]
