"""Audits spread over executors: the same reports, whoever dies."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from sample_networks import Sample

import onnxmem
from onnxmem.auditing import Settings, layer_cache
from onnxmem.cache import Store
from onnxmem.errors import DataError, EnvironmentFailedError, UsageError
from onnxmem.evidence import neighbourhood
from onnxmem.executors import processes as own_processes
from onnxmem.neighbours import search
from onnxmem.spreading import tasks
from onnxmem.spreading.job import Reading, make_job

QUICK: dict[str, Any] = {
    "compress": ["nmf", "ablation"],
    "batch": ["mixed"],
    "ranks": [1, 2],
    "per_class": 12,
}


def plain(report: Any) -> str:
    values = report.to_dict()
    values.pop("timings")
    return repr(values)


@pytest.fixture(scope="module")
def alone(cnn: Sample) -> str:
    return plain(onnxmem.audit(cnn.path, cnn.data, **QUICK))


@contextmanager
def processes() -> Iterator[Executor]:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        yield pool


@contextmanager
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


@contextmanager
def dask() -> Iterator[Executor]:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client.get_executor(pure=False)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", [processes, threads, dask])
def test_any_executor_gives_the_report_of_one_machine(
    cnn: Sample, alone: str, tmp_path: Path, make: Callable[[], AbstractContextManager[Executor]]
) -> None:
    with make() as executor:
        found = onnxmem.audit(cnn.path, cnn.data, executor=executor, cache=tmp_path, **QUICK)
    assert plain(found) == alone
    assert found.timings["cached_layers"] == 3
    assert not list(tmp_path.glob(".*"))


def test_worker_processes_measure_everything(
    cnn: Sample, alone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: Any, **named: Any) -> Any:
        raise AssertionError("measured here")

    monkeypatch.setattr(layer_cache, "measure_layer", refuse)
    monkeypatch.setattr(neighbourhood, "collect", refuse)
    found = onnxmem.audit(cnn.path, cnn.data, workers=2, **QUICK)
    assert plain(found) == alone


def test_samples_in_memory_and_held_out_ones_are_read_by_workers(
    mlp: Sample, tmp_path: Path
) -> None:
    arrays = dict(np.load(mlp.data))
    x, y = arrays["x"], arrays["y"]
    how: dict[str, Any] = QUICK | {"held_out": {"x": x[::3] + 1, "y": y[::3]}}
    once = onnxmem.audit(mlp.path, {"x": x}, y, **how)
    spread = onnxmem.audit(mlp.path, {"x": x}, y, workers=1, cache=tmp_path, **how)
    assert plain(spread) == plain(once)
    assert spread.timings["cached_layers"] == len(spread.layers)


def test_objects_are_sent_to_no_worker(mlp: Sample, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Python objects"):
        onnxmem.audit(mlp.path, {"x": np.array([object()])}, workers=1, cache=tmp_path)
    assert not list(tmp_path.iterdir())


def test_samples_are_looked_at_in_blocks(
    cnn: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_BLOCK", 2**10)
    monkeypatch.setattr(neighbourhood, "_WORTH_A_PASS", 1)
    once = plain(onnxmem.audit(cnn.path, cnn.data, **QUICK))
    blocks: list[Any] = []
    really = neighbourhood.Search.find_block

    def find_block(self: Any, tensors: Any, block: Any) -> None:
        blocks.append((*tensors, block.number, block.count))
        really(self, tensors, block)

    monkeypatch.setattr(neighbourhood.Search, "find_block", find_block)
    with ThreadPoolExecutor(9) as pool:
        found = onnxmem.audit(cnn.path, cnn.data, executor=pool, cache=tmp_path, **QUICK)
    assert len(blocks) == len(set(blocks)) == 8
    assert {one[-1] for one in blocks} == {2}
    assert plain(found) == once


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_worker_that_is_killed_loses_its_part_alone(
    cnn: Sample, alone: str, tmp_path: Path
) -> None:
    notes: list[str] = []

    def listen(progress: Any) -> None:
        notes.append(progress.note)
        if progress.unit == "parts" and progress.done == 1 and not any("once" in n for n in notes):
            for child in psutil.Process().children():
                if "onnxmem.executors.worker" in child.cmdline():
                    child.kill()

    found = onnxmem.audit(cnn.path, cnn.data, workers=2, cache=tmp_path, progress=listen, **QUICK)
    assert plain(found) == alone
    told = [note for note in notes if "once more" in note]
    assert 1 <= len(told) <= 2 and all("ended with -9" in note for note in told)
    assert found.timings["cached_layers"] == 3


def test_without_workers_an_audit_goes_on_alone(
    cnn: Sample, alone: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: list[str] = []
    monkeypatch.setattr(own_processes, "WORKER", ("-c", "raise SystemExit(7)"))
    found = onnxmem.audit(
        cnn.path, cnn.data, workers=1, cache=tmp_path,
        progress=lambda progress: notes.append(progress.note), **QUICK,
    )  # fmt: skip
    assert plain(found) == alone
    assert [n.partition("; ")[2] for n in notes if "ended with 7" in n] == [
        *["once more"] * 2, "it is done here",
    ]  # fmt: skip


def test_a_broken_executor_is_no_end_of_the_audit(cnn: Sample, alone: str) -> None:
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    assert plain(onnxmem.audit(cnn.path, cnn.data, executor=pool, **QUICK)) == alone


def test_what_keeps_an_audit_from_starting_is_said_once(cnn: Sample, mlp: Sample) -> None:
    with pytest.raises(DataError), ThreadPoolExecutor(1) as pool:
        onnxmem.audit(cnn.path, mlp.data, executor=pool, **QUICK)


def test_tasks_carry_no_arrays_and_end_when_nobody_waits(cnn: Sample, tmp_path: Path) -> None:
    reading = Reading(str(cnn.data))
    job = make_job(cnn.path, reading, Settings(), Store(tmp_path, 2**30), 2)
    assert len(pickle.dumps(job)) < 2000
    for call in (lambda: tasks.list_parts(job, 2), lambda: tasks.measure(job, {"tensors": ["a"]})):
        with pytest.raises(EnvironmentFailedError, match="stopped"):
            call()


def test_one_executor_is_enough(cnn: Sample) -> None:
    with pytest.raises(UsageError, match="exclude each other"):
        onnxmem.audit(cnn.path, cnn.data, workers=2, scheduler="tcp://localhost:1")
    with pytest.raises(UsageError, match="one at least"):
        onnxmem.audit(cnn.path, cnn.data, workers=0)
