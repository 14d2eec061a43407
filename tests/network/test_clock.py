"""The stages and the rest add up to the time that has passed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from onnxmem.network.clock import Clock


def ticking(*moments: float) -> Clock:
    times: Iterator[float] = iter(moments)
    return Clock(lambda: next(times))


def test_time_in_no_stage_is_the_rest() -> None:
    clock = ticking(0, 2, 5, 6)
    with clock.stage("tail"):
        pass
    assert clock.split() == {"tail": 3, "rest": 3}


def test_stages_at_once_share_the_time_and_one_alone_has_all_of_it() -> None:
    clock = ticking(0, 0, 1, 3, 7, 7)
    with ExitStack() as inner, clock.stage("head"):
        inner.enter_context(clock.stage("tail"))
    assert clock.split() == {"head": 2, "tail": 5, "rest": 0}


def test_stage_that_fails_is_counted() -> None:
    clock = ticking(0, 1, 4, 4)
    with pytest.raises(KeyError):
        clock.timed("tail", {}.__getitem__, 0)
    assert clock.split() == {"tail": 3, "rest": 1}
