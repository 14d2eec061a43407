"""Numbers as sentences have them."""

from __future__ import annotations

import pytest

from onnxmem.findings.numbers import signed


@pytest.mark.parametrize(
    ("value", "text"), [(0.256, "0.26"), (-0.256, "\N{MINUS SIGN}0.26"), (-0.001, "0.00")]
)
def test_negative_numbers_have_a_true_minus_and_zero_has_no_sign(value: float, text: str) -> None:
    assert signed(value, 2) == text
