"""Products of matrices of any shapes."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from operator_gradients import apart, check_operator

SMALL = 0.03
"""The distance of numbers; products of large ones lose digits in float32."""


@st.composite
def factors(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Draw two shapes that MatMul takes: vectors, matrices, stacks that are broadcast."""
    inner, rows, columns = (draw(st.integers(1, 4)) for _ in range(3))
    stacks = []
    whole = draw(st.lists(st.integers(1, 3), max_size=2))
    for _ in range(2):
        kept = whole[draw(st.integers(0, len(whole))) :]
        stacks.append([size if draw(st.booleans()) else 1 for size in kept])
    first = (inner,) if draw(st.booleans()) and not stacks[0] else (*stacks[0], rows, inner)
    second = (inner,) if draw(st.booleans()) and not stacks[1] else (*stacks[1], inner, columns)
    return first, second


@settings(max_examples=40)
@given(shapes=factors())
def test_matmul_of_any_shapes(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    first, second = shapes
    check_operator("MatMul", apart(*first, gap=SMALL), apart(*second, seed=1, gap=SMALL))


@pytest.mark.parametrize("turned", [(0, 0), (0, 1), (1, 0), (1, 1)])
@pytest.mark.parametrize("added", [None, (4,), (3, 4), (3, 1), ()])
def test_gemm(turned: tuple[int, int], added: tuple[int, ...] | None) -> None:
    first = (5, 3) if turned[0] else (3, 5)
    second = (4, 5) if turned[1] else (5, 4)
    bias = None if added is None else apart(*added, seed=2)
    check_operator(
        "Gemm", apart(*first, gap=SMALL), apart(*second, seed=1, gap=SMALL), bias,
        transA=turned[0], transB=turned[1], alpha=0.7, beta=1.3,
    )  # fmt: skip


@pytest.mark.parametrize("turned", [(0, 0), (0, 1), (1, 0), (1, 1)])
@pytest.mark.parametrize("op", ["FusedMatMul", "TransposeMatMul"])
def test_matmul_of_onnxruntime(op: str, turned: tuple[int, int]) -> None:
    first = (2, 5, 3) if turned[0] else (2, 3, 5)
    second = (2, 4, 5) if turned[1] else (2, 5, 4)
    check_operator(
        op, apart(*first, gap=SMALL), apart(*second, seed=1, gap=SMALL), coarse=True,
        domain="com.microsoft", transA=turned[0], transB=turned[1], alpha=0.7,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("nf,fo->no", [(3, 4), (4, 5)]),
        ("nf,efo->neo", [(3, 4), (2, 4, 5)]),
        ("bhid,bhjd->bhij", [(2, 2, 3, 4), (2, 2, 5, 4)]),
        ("ij,jk", [(3, 4), (4, 2)]),
        ("nij,nik->njk", [(2, 4, 3), (2, 1, 5)]),
        ("nij,nik->njk", [(2, 1, 3), (2, 4, 5)]),
        ("ij->", [(3, 4)]),
        ("ij->j", [(3, 4)]),
        ("ij->ji", [(3, 4)]),
        ("i,j->ij", [(3,), (4,)]),
        ("ij,k->k", [(2, 3), (4,)]),
        ("...ij,...jk->...ik", [(2, 3, 4), (2, 4, 2)]),
        ("...ij,jk->...ik", [(2, 5, 3, 4), (4, 2)]),
        ("i...,i->...", [(3, 2, 2), (3,)]),
        ("ab, bc, cd -> ad", [(2, 3), (3, 4), (4, 2)]),
        ("...i,i", [(2, 4), (4,)]),
    ],
)
def test_einsum(equation: str, shapes: list[tuple[int, ...]]) -> None:
    given = [apart(*shape, seed=at, gap=SMALL) for at, shape in enumerate(shapes)]
    check_operator("Einsum", *given, equation=equation, coarse=True)


def test_many_rows_lose_no_digits() -> None:
    """A sum over many samples is one product, or one in float64."""
    x = np.full((1, 40000), 0.1, np.float32)
    check_operator("MatMul", x, apart(40000, gap=1e-6), wrt=[0], coarse=True)
