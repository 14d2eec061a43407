"""A memory budget is divided so that it holds, and only rounding hangs on it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxmem.errors import OutOfMemoryError
from onnxmem.network.memory import Load, divide, largest_stack, piece_size, pieces_at_once

LOAD = Load(
    captured=1000,
    largest=4000,
    batch=30,
    samples=600,
    native=None,
    whole=False,
    tail=2000,
    stack=largest_stack(on_gpu=False),
)

loads = st.builds(
    Load,
    captured=st.integers(1, 10**6),
    largest=st.integers(0, 10**7),
    batch=st.integers(1, 500),
    samples=st.integers(500, 10**5),
    native=st.none(),
    whole=st.booleans(),
    tail=st.integers(0, 10**6),
    stack=st.integers(0, 10**8),
)


@given(load=loads, memory=st.integers(1, 10**10), workers=st.integers(1, 64))
def test_what_is_held_at_once_fits_the_budget(load: Load, memory: int, workers: int) -> None:
    try:
        share = divide(load, memory, workers)
    except OutOfMemoryError:
        assert load.working + load.piece(load.batch if load.whole else 1) > memory
        return
    assert 1 <= share.step <= load.batch
    assert 1 <= share.side_by_side <= workers
    assert share.stack == 0 or share.stack >= 2 * load.batch
    assert share.scored_at_once in (1, share.side_by_side)
    more = load.stacked * max(0, share.stack - load.batch)
    running = share.side_by_side * (load.working + load.piece(share.step) + more)
    assert running + load.captured * load.samples * share.keep == share.peak <= memory
    assert share.step == load.batch or not load.whole


@given(load=loads, memory=st.integers(10**7, 10**10), workers=st.integers(2, 64))
def test_workers_change_nothing_but_batches_side_by_side(
    load: Load, memory: int, workers: int
) -> None:
    try:
        many, one = divide(load, memory, workers), divide(load, memory, 1)
    except OutOfMemoryError:
        return
    assert (many.step, many.keep, many.stack) == (one.step, one.keep, one.stack)
    assert many.side_by_side >= one.side_by_side == 1


@given(load=loads, memory=st.integers(10**11, 10**13))
def test_ample_memory_changes_nothing(load: Load, memory: int) -> None:
    assert divide(load, memory, 2).step == divide(load, 10 * memory, 64).step


def test_only_batch_size_of_a_network_is_taken_as_it_is() -> None:
    assert divide(replace(LOAD, native=4), 10**9, 2).step == 4
    with pytest.raises(OutOfMemoryError, match="use a larger --memory"):
        divide(replace(LOAD, native=4), LOAD.working + LOAD.piece(3), 2)


def test_whole_batch_runs_as_one_piece() -> None:
    huge = replace(LOAD, largest=10**9, whole=True)
    assert divide(huge, 10**12, 2).step == huge.batch


def test_captures_are_kept_where_there_is_room() -> None:
    assert divide(LOAD, 10**9, 2).keep
    assert not divide(LOAD, LOAD.working + LOAD.piece(1), 2).keep


def test_batches_share_a_run_up_to_what_pays_on_the_device() -> None:
    on_cpu = divide(LOAD, 10**9, 1)
    on_gpu = divide(replace(LOAD, stack=largest_stack(on_gpu=True)), 10**9, 1)
    assert 2 * LOAD.batch <= on_cpu.stack < on_gpu.stack
    assert on_cpu.stack * LOAD.tail <= 128 * 2**10
    assert on_gpu.stack * LOAD.tail <= 64 * 2**20


def test_tiny_batches_are_scored_one_after_the_other() -> None:
    tiny, larger = (divide(replace(LOAD, tail=tail), 10**9, 8) for tail in (2000, 4000))
    assert (tiny.scored_at_once, tiny.side_by_side) == (1, 8)
    assert (larger.scored_at_once, larger.side_by_side) == (8, 8)
    assert divide(replace(LOAD, tail=0), 10**9, 8).scored_at_once == 8  # it may be large


@pytest.mark.parametrize(
    ("load", "memory"),
    [
        (replace(LOAD, whole=True), 10**9),
        (replace(LOAD, native=30), 10**9),
        (replace(LOAD, tail=2500), 10**9),
        (replace(LOAD, captured=5000), 10**9),
        (replace(LOAD, tail=0), 10**9),
        (replace(LOAD, largest=3 * 2**20), 10**9),
        (LOAD, LOAD.working + LOAD.piece(30)),
    ],
    ids=[
        "whole batches",
        "one size only",
        "too large for two",
        "too large to hold",
        "nothing known",
        "several pieces",
        "captures not kept",
    ],
)
def test_batches_that_share_no_run(load: Load, memory: int) -> None:
    assert divide(LOAD, 10**9, 1).stack
    assert divide(load, memory, 1).stack == 0


@given(largest=st.integers(0, 10**9), batch=st.integers(1, 1000))
def test_pieces_are_whole_batches_or_powers_of_two(largest: int, batch: int) -> None:
    size = piece_size(largest, batch)
    assert size == batch or (size < batch and size & (size - 1) == 0)
    assert size == 1 or size * largest <= 64 * 2**20


def test_as_many_pieces_run_at_once_as_the_budget_holds() -> None:
    mebi = 2**20
    assert pieces_at_once(mebi, 4, memory=100 * mebi, workers=16) == 8
    assert pieces_at_once(mebi, 4, memory=100 * mebi, workers=2) == 2
    assert pieces_at_once(mebi, 64, memory=100 * mebi, workers=16) == 1
    assert pieces_at_once(0, 64, memory=100 * mebi, workers=16) == 16


@given(largest=st.integers(0, 10**9), batch=st.integers(1, 500), memory=st.integers(1, 10**10))
def test_piece_fits_the_budget_or_is_one_sample(largest: int, batch: int, memory: int) -> None:
    size = piece_size(largest, batch, memory)
    load = replace(LOAD, largest=largest, captured=0)
    assert load.piece(size) <= memory or size == 1
    assert size <= piece_size(largest, batch)
