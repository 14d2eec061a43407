"""Worker processes: what calls give, and what happens when a process dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from onnxmem.errors import DataError, OutOfMemoryError
from onnxmem.executors import processes
from onnxmem.executors.attempts import Ended, LostError, run_all
from onnxmem.executors.processes import Processes, WorkerDiedError
from onnxmem.executors.room import room


@pytest.fixture
def pool() -> Iterator[Processes]:
    made = Processes(2)
    yield made
    made.shutdown(wait=False)


def test_calls_give_what_functions_return(pool: Processes) -> None:
    assert list(pool.map(divmod, (7, 9), (2, 4))) == [[3, 1], [2, 1]]
    assert room(pool) == 2


def test_what_a_function_prints_is_no_answer(pool: Processes) -> None:
    assert pool.submit(os.system, "echo 12345678 and more").result() == 0
    assert pool.submit(os.write, 1, b"12345678").result() == 8


def test_errors_of_this_package_come_back_as_they_were(pool: Processes) -> None:
    from onnxmem.data import load

    with pytest.raises(DataError, match=r"no such"):
        pool.submit(load, "/no/such.npz").result()
    with pytest.raises(OutOfMemoryError):
        pool.submit(bytearray, 2**62).result()
    with pytest.raises(RuntimeError, match="ZeroDivisionError: "):
        pool.submit(divmod, 1, 0).result()


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_process_that_dies_loses_its_call_alone(pool: Processes) -> None:
    slow = pool.submit(time.sleep, 1)
    lost = pool.submit(signal.raise_signal, signal.SIGKILL)
    with pytest.raises(WorkerDiedError, match="-9"):
        lost.result()
    assert slow.result() is None
    assert pool.submit(divmod, 7, 2).result() == [3, 1]


def test_a_process_that_never_starts_is_a_death(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "WORKER", ("-c", "pass"))
    pool = Processes(1)
    with pytest.raises(WorkerDiedError):
        pool.submit(divmod, 1, 1).result()
    pool.shutdown()


def test_processes_in_the_middle_of_a_call_end_with_the_executor() -> None:
    pool = Processes(1)
    pid = pool.submit(os.getpid).result()
    waiting = pool.submit(time.sleep, 600)
    pool.shutdown(wait=False)
    assert not psutil.pid_exists(pid)
    assert waiting.done()


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_processes_end_with_their_parent(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, time; from onnxmem.executors.processes import Processes;"
        "pool = Processes(1); pid = pool.submit(os.getpid).result();"
        "pool.submit(time.sleep, 600); time.sleep(1);"
        f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(pid)); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == -9
    pid = int((tmp_path / "pid").read_text())
    psutil.wait_procs(_running(pid), timeout=60)
    assert not _running(pid)


def _running(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [] if process.status() == psutil.STATUS_ZOMBIE else [process]
    except psutil.NoSuchProcess:
        return []


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_tasks_are_tried_three_times_and_the_others_are_done(pool: Processes) -> None:
    tasks = [(divmod, 7, 2), (signal.raise_signal, signal.SIGKILL), (divmod, 1, 0)]
    found = list(run_all(tasks, lambda task: pool.submit(*task)))
    of = [[one for one in found if one.task is task] for task in tasks]
    assert of[0] == [Ended(tasks[0], [3, 1])]
    assert [one.again for one in of[1]] == [True, True, False]
    assert all("ended with -9" in one.trouble for one in of[1])
    assert len(of[2]) == 3


def test_errors_of_this_package_are_not_tried_again(pool: Processes) -> None:
    from onnxmem.data import load

    (one,) = run_all(["/no/such"], lambda path: pool.submit(load, path))
    assert "no such" in one.trouble and not one.again


def test_an_executor_that_is_gone_is_told_apart_from_a_death(pool: Processes) -> None:
    pool.shutdown()
    with pytest.raises(LostError):
        list(run_all([1], lambda one: pool.submit(divmod, one, 1)))
