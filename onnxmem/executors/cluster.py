"""The executor of a Dask cluster; `distributed` is imported here alone, when it is asked for."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

from onnxmem.errors import EnvironmentFailedError
from onnxmem.text import printable

_PATIENCE = 30
"""Seconds that a scheduler has to answer."""


@contextmanager
def connect(address: str) -> Iterator[Executor]:
    """Give what runs tasks on the workers of a scheduler, as `concurrent.futures` has it.

    Raises:
        EnvironmentFailedError: Dask is not installed, or nobody answers at `address`.
    """
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError as error:
        raise EnvironmentFailedError(
            "--scheduler needs Dask, which is not here: pip install 'onnxmem[dask]'"
        ) from error
    with _silent("asyncio", "distributed", "tornado"), _client(distributed, address) as client:
        yield client.get_executor(pure=False)


@contextmanager
def _silent(*libraries: str) -> Iterator[None]:
    """Keep libraries from telling in many lines what ends in one error.

    Their parts have levels of their own.
    """
    names = [n for n in logging.root.manager.loggerDict if n.partition(".")[0] in libraries]
    loggers = [logging.getLogger(name) for name in {*names, *libraries}]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


@contextmanager
def _client(distributed: Any, address: str) -> Iterator[Any]:
    try:
        client = distributed.Client(address, timeout=_PATIENCE)
    except (OSError, ValueError, TypeError) as error:
        shown = printable(address, 200)
        raise EnvironmentFailedError(f"no scheduler answers at {shown}: {error}") from error
    try:
        yield client
    finally:
        client.close()
