"""Attention of all kinds of heads and masks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from operator_gradients import apart, check_operator

SMALL = 0.02
QUERY, KEY, VALUE = (
    apart(2, 4, steps, size, seed=at, gap=SMALL) for at, (steps, size) in
    enumerate([(3, 6), (5, 6), (5, 2)])
)  # fmt: skip


def check(*inputs: np.ndarray | None, opset: int = 23, **attributes: Any) -> None:
    check_operator("Attention", *inputs, opset=opset, coarse=True, **attributes)


@pytest.mark.parametrize("opset", [23, 24])
@pytest.mark.parametrize("options", [{}, {"scale": 0.3}, {"softcap": 2.0}, {"is_causal": 1}])
def test_heads_on_an_axis_of_their_own(opset: int, options: dict[str, Any]) -> None:
    check(QUERY, KEY, VALUE, opset=opset, **options)


def test_heads_within_the_features() -> None:
    query, key, value = apart(2, 3, 8, gap=SMALL), apart(2, 5, 4, gap=SMALL), apart(2, 5, 6)
    check(query, key, value, q_num_heads=4, kv_num_heads=2)


def test_queries_that_share_keys() -> None:
    check(QUERY, KEY[:, :2], VALUE[:, :2])
    check(QUERY, KEY[:, :1], VALUE[:, :1])


def test_masks_that_are_added() -> None:
    check(QUERY, KEY, VALUE, apart(3, 5, seed=3), wrt=[0, 1, 2, 3])
    check(QUERY, KEY, VALUE, apart(2, 1, 3, 5, seed=3), wrt=[0, 3], is_causal=1)


def test_masks_of_truths() -> None:
    mask = np.random.default_rng(0).random((3, 5)) > 0.4
    mask[:, 0] = True
    check(QUERY, KEY, VALUE, mask)


@pytest.mark.parametrize("interleaved", [0, 1])
@pytest.mark.parametrize("part", [0, 4])
def test_rotary_embedding(interleaved: int, part: int) -> None:
    angles = apart(7, 2 if part else 3, seed=1)
    places = np.array([[0, 3, 1, 6, 2]] * 2)
    options = {"interleaved": interleaved, "rotary_embedding_dim": part}
    cosines, sines = np.cos(angles), np.sin(angles)
    x = apart(2, 4, 5, 6)
    check_operator(
        "RotaryEmbedding", x, cosines, sines, places, opset=23, coarse=True, wrt=[0], **options
    )
    if not part:
        check_operator(
            "RotaryEmbedding", x, places, cosines, sines, domain="com.microsoft", coarse=True,
            wrt=[0], interleaved=interleaved,
        )  # fmt: skip
