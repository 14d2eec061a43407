"""Work is shared out between threads in order, and no more at once than is allowed."""

from __future__ import annotations

import threading
import time

import pytest

from onnxmem.network.workers import ALONE, workers
from onnxmem.runtime import select_device


@pytest.mark.parametrize("count", [0, 1, 7, 100])
@pytest.mark.parametrize("at_once", [1, 2, 8])
def test_results_come_in_the_order_of_the_items(count: int, at_once: int) -> None:
    with workers(select_device("cpu")) as team:
        assert team.map(lambda item: -item, range(count), at_once) == [-n for n in range(count)]
    assert ALONE.map(lambda item: -item, iter(range(count)), at_once) == [-n for n in range(count)]


def test_no_more_run_at_once_than_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onnxmem.arrays.cores", lambda: range(8))
    lock, running, most = threading.Lock(), [0], [0]

    def work(item: int) -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.002)
        with lock:
            running[0] -= 1

    with workers(select_device("cpu")) as team:
        assert team.count == 8
        team.map(work, range(100), at_once=3)
    assert 1 < most[0] <= 3


def test_a_failure_reaches_the_caller() -> None:
    with (
        workers(select_device("cpu")) as team,
        pytest.raises(ZeroDivisionError),
    ):
        team.map(lambda item: 1 // item, [3, 2, 1, 0] * 9, at_once=2)
