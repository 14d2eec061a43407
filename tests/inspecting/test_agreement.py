"""When outputs are those that were recorded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from onnxmem import graph
from onnxmem.inspecting.agreement import agreement, in_words

OUTPUT = np.array([[1.0, -200.0]], np.float32)


def compare(expected: np.ndarray, found: np.ndarray) -> tuple[bool, float | None]:
    recorded = graph.Recorded(Path("cases/test_data_set_3"), {}, {"y": expected})
    result = agreement(recorded, {"y": found})
    return result.agrees, result.relative_error


@pytest.mark.parametrize(
    ("found", "agrees"),
    [
        (OUTPUT, True),
        (OUTPUT + np.float32(0.19), True),
        (OUTPUT + np.float32(0.3), False),
        (OUTPUT[0], False),
        (np.array([[1.0, np.nan]], np.float32), False),
        (OUTPUT.astype(np.int64), False),
    ],
)
def test_floats_agree_within_a_thousandth_of_their_scale(found: np.ndarray, agrees: bool) -> None:
    assert compare(OUTPUT, found)[0] is agrees


def test_half_precision_is_compared_as_the_model_computes() -> None:
    assert compare(OUTPUT.astype(np.float16), OUTPUT + np.float32(0.5))[0]


def test_labels_agree_exactly_and_bytes_within_one() -> None:
    labels = np.array([5000])
    assert compare(labels, labels)[0] and not compare(labels, labels + 1)[0]
    pixels = np.array([7, 200], np.uint8)
    assert compare(pixels, pixels + np.uint8(1))[0] and not compare(pixels, pixels + np.uint8(2))[0]


def test_words() -> None:
    recorded = graph.Recorded(Path("cases/test_data_set_3"), {}, {"y": OUTPUT})
    good, bad = (agreement(recorded, {"y": OUTPUT + np.float32(d)}) for d in (0, 9))
    nothing = agreement(recorded, {})
    assert "gives the outputs that were recorded (1 test case, within" in in_words([good])
    assert "differ from those recorded in test_data_set_3 by 4.5e-02" in in_words([good, bad])
    assert in_words([nothing]) == "no recorded output could be compared"
    assert in_words([]) == ""
