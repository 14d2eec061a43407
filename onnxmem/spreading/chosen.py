"""Which executor a caller wants: worker processes of this machine, a cluster, or one of its own."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from onnxmem.errors import UsageError
from onnxmem.executors.cluster import connect
from onnxmem.executors.processes import Processes


@contextmanager
def chosen_executor(
    workers: int | None = None,
    scheduler: str | None = None,
    executor: Executor | None = None,
) -> Iterator[Executor | None]:
    """Give the executor that was asked for, None where none was; one of the caller stays open.

    Raises:
        UsageError: two were asked for, or fewer than one worker.
        EnvironmentFailedError: no scheduler answers.
    """
    if sum(one is not None for one in (workers, scheduler, executor)) > 1:
        raise UsageError("workers, executor and scheduler exclude each other; give one")
    if scheduler is not None:
        with connect(scheduler) as cluster:
            yield cluster
    elif workers is not None:
        if workers < 1:
            raise UsageError(f"--workers {workers}: give one at least")
        processes = Processes(workers)
        try:
            yield processes
        finally:
            processes.shutdown(wait=False)
    else:
        yield executor
