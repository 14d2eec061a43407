"""Work is shared out between threads in order, and no more at once than is allowed."""

from __future__ import annotations

import threading
import time

import pytest
import threadpoolctl

from onnxmem.arrays import sharing
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


def test_the_first_that_ends_lifts_no_limit_of_others() -> None:
    def most() -> int:
        return max((one["num_threads"] for one in threadpoolctl.threadpool_info()), default=1)

    first, second = (workers(select_device("cpu")) for _ in range(2))
    with threadpoolctl.threadpool_limits(3):
        before = most()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert most() == 1
        second.__exit__(None, None, None)
        assert most() == before


def test_a_partner_takes_its_share_of_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onnxmem.arrays.cores", lambda: range(8))
    for partners, count in ((1, 8), (3, 2), (100, 1), (None, 1)):
        with sharing(partners), workers(select_device("cpu")) as team:
            assert team.count == count
