"""Calls with `sandbox=True`: a child makes them, in a room of its own, and answers in JSON.

Arrays go to the child as files of NumPy, everything else as JSON, and what comes back is decoded
into records: nothing that a child writes is ever unpickled, so one that a model took over can lie,
but runs nothing here.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import msgspec
import numpy as np

from onnxmem import errors
from onnxmem.auditing import Progress
from onnxmem.cache.scratch import scratch_folder
from onnxmem.data import Lazy
from onnxmem.errors import EnvironmentFailedError, OnnxmemError, UsageError
from onnxmem.inspecting import Trial
from onnxmem.records import Report, Waiver
from onnxmem.records.waiver import WAIVER_FIELDS
from onnxmem.sandbox import Room
from onnxmem.sandbox.limits import data_limit
from onnxmem.sandbox.parent import ending, reason, spawn, tail, wait
from onnxmem.sandbox.places import of_data, of_model, size
from onnxmem.text import printable

P = ParamSpec("P")
R = TypeVar("R")

ASKED, ANSWER, PROGRESS = "asked.json", "answer.json", "progress.jsonl"
"""Files of a call: what is asked, what came of it, and how far it is."""

MODULE = "onnxmem.api.child"

_LONGEST = 1 << 30
"""Bytes of an answer that are read at most."""

_MODELS = ("model", "given", "checkpoints", "checkpoint")
"""Arguments that are models, whose folders may hold weights."""

_OWN = ("sandbox", "timeout", "progress")
"""Arguments that the child is not told."""


class Answer(msgspec.Struct):
    """What came of a call: a record as JSON, or an error of that class with a message."""

    record: msgspec.Raw = msgspec.Raw(b"null")
    error: str = ""
    message: str = ""


def apart(
    record: type[Any], of: Callable[[Any], Any]
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return what lets a function of this package run in a child where `sandbox=True` says so.

    Args:
        record: the class of the record that it gives.
        of: makes its result from a record.
    """

    def decorated(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def call(*given: P.args, **options: P.kwargs) -> R:
            asked = _bound(function, given, options)
            if not asked.get("sandbox"):
                if asked.get("timeout") is not None:
                    raise UsageError("timeout is for sandbox=True, where a child can be ended")
                return function(*given, **options)
            return cast(R, of(_ask(function.__name__, asked, record)))

        return call

    return decorated


def _bound(function: Callable[..., Any], given: Any, options: Any) -> dict[str, Any]:
    """Return all arguments by name, those of `**` among them."""
    signature = inspect.signature(function)
    bound = dict(signature.bind(*given, **options).arguments)
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            bound |= bound.pop(name, {})
    return bound


def _ask(name: str, asked: dict[str, Any], record: type[Any]) -> Any:
    """Let a child answer, and return the record.

    Raises:
        OnnxmemError: what the child raised, or it died.
    """
    seconds, listen = asked.get("timeout"), asked.get("progress")
    if seconds is not None and not seconds > 0:
        raise UsageError(f"timeout={seconds}: give seconds above 0")
    with scratch_folder() as scratch:
        sent = {key: _sent(one, scratch) for key, one in asked.items() if key not in _OWN}
        (scratch / ASKED).write_bytes(msgspec.json.encode({"name": name, "options": sent}))
        reads = [*_reads(asked), str(scratch)]
        room = Room(tuple(reads), tuple(_writes(asked, scratch)), _data(asked, reads), seconds)
        with (scratch / "said").open("wb") as said:
            orders = scratch / "orders.json"
            child = spawn(
                orders, room, MODULE, [str(scratch)],
                environment={"TMPDIR": str(scratch)}, stderr=said,
            )  # fmt: skip
            with ending(child):
                heard = _Heard(scratch / PROGRESS, listen)
                ended = wait(child, seconds, heard.go_on, "timeout=")
                heard.go_on()
        if ended.died:
            why = reason(ended, tail(scratch / "said"))
            raise EnvironmentFailedError(f"the sandbox of {name} ended: {why}")
        return _answered(scratch, record, tail(scratch / "said"))


def _answered(scratch: Path, record: type[Any], said: str) -> Any:
    """Return the record that a child wrote.

    Raises:
        OnnxmemError: what it raised; or it wrote nothing that can be read.
    """
    last = printable((said.strip().splitlines() or ["it said nothing"])[-1], 300)
    try:
        file = scratch / ANSWER
        if file.stat().st_size > _LONGEST:
            raise EnvironmentFailedError("the sandbox gave more than can be read")
        answer = msgspec.json.decode(file.read_bytes(), type=Answer)
        if not answer.error:
            return msgspec.json.decode(answer.record, type=record)
    except FileNotFoundError as error:
        raise EnvironmentFailedError(f"the sandbox gave no answer: {last}") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise EnvironmentFailedError(f"the sandbox gave no {record.__name__}: {error}") from error
    raise _error(answer.error)(answer.message)


def _error(name: str) -> type[Exception]:
    """Return one of our classes of errors, or what stands for those of others."""
    found = getattr(errors, name, None)
    if isinstance(found, type) and issubclass(found, OnnxmemError):
        return found
    return {"TypeError": TypeError, "ValueError": ValueError}.get(name, EnvironmentFailedError)


class _Heard:
    """Passes on what a child tells of its progress, as far as it has been written."""

    def __init__(self, file: Path, listen: Callable[[Progress], None] | None) -> None:
        self._file, self._listen, self._read = file, listen, 0

    def go_on(self) -> bool:
        """Pass on what is new; return that the child is still wanted."""
        if self._listen is None or not self._file.exists():
            return False
        with self._file.open("rb") as stream:
            stream.seek(self._read)
            new, whole, _ = stream.read(_LONGEST).rpartition(b"\n")
        self._read += len(new + whole)
        for line in new.splitlines():
            self._listen(msgspec.json.decode(line, type=Progress))
        return False


def _data(asked: Mapping[str, Any], reads: Iterable[str]) -> int | None:
    memory = asked.get("memory")
    return None if memory is None else data_limit(int(memory), files=size(reads))


def _reads(asked: Mapping[str, Any]) -> list[str]:
    """Return all files that arguments name."""
    found: list[str] = []
    for name, value in asked.items():
        for one in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(one, (str, Path)) and os.path.lexists(one):
                trust = bool(asked.get("trust_links"))
                is_model = name in _MODELS
                found += of_model(str(one), trust=trust) if is_model else of_data(str(one))
    return found


def _writes(asked: Mapping[str, Any], scratch: Path) -> Iterator[str]:
    """Yield the folders that a call writes in."""
    yield str(scratch)
    cache = asked.get("cache")
    if isinstance(cache, (str, Path)):
        with suppress(OSError):
            Path(cache).mkdir(mode=0o700, parents=True, exist_ok=True)
        yield str(cache)


def _sent(value: Any, scratch: Path) -> Any:
    """Return an argument as JSON; what is more than that goes to a file, named by its kind.

    Raises:
        UsageError: it cannot be sent.
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Path):
        return {"path": os.path.abspath(value)}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Waiver):
        return _sent({name: getattr(value, name) for name in WAIVER_FIELDS}, scratch)
    if isinstance(value, Trial):
        return {
            "trial": _sent({one.name: getattr(value, one.name) for one in fields(value)}, scratch)
        }
    if isinstance(value, Report):
        raise UsageError("sandbox=True is for models; reports are compared as they are")
    if isinstance(value, bytes) or hasattr(value, "SerializeToString"):
        return {"bytes": _file(scratch, value if isinstance(value, bytes) else _serialized(value))}
    if isinstance(value, Mapping):
        return {"items": [[str(key), _sent(one, scratch)] for key, one in value.items()]}
    if isinstance(value, (list, tuple, set, frozenset)) and not _is_long(value):
        return {"list": [_sent(one, scratch) for one in value]}
    return {"array": _array(value, scratch)}


def _serialized(model: Any) -> bytes:
    try:
        return bytes(model.SerializeToString())
    except ValueError as error:
        raise UsageError(f"the model cannot be written as one file ({error}); save it") from error


def _is_long(value: Any) -> bool:
    """Tell whether a list is one of numbers, as labels are."""
    numbers = (int, float, np.generic, np.ndarray, list, tuple)
    return isinstance(value, (list, tuple)) and bool(value) and isinstance(value[0], numbers)


def _array(value: Any, scratch: Path) -> str:
    if isinstance(value, Lazy):
        raise UsageError("sandbox=True reads data in the child: give their path, not what was read")
    try:
        array = np.asarray(value)
        if array.dtype == object:
            array = array.astype(str)
    except ValueError as error:
        raise UsageError(f"sandbox=True: {type(value).__name__} is no array: {error}") from error
    path = scratch / f"{os.urandom(8).hex()}.npy"
    np.save(path, array, allow_pickle=False)
    return str(path)


def _file(scratch: Path, content: bytes) -> str:
    path = scratch / f"{os.urandom(8).hex()}.onnx"
    path.write_bytes(content)
    return str(path)
