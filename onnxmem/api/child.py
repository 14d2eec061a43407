"""The child of a call with `sandbox=True`: it makes the call, and writes what came of it.

    python -m onnxmem.api.child SCRATCH

It runs in a room, see `onnxmem.sandbox.child`; `onnxmem.api.apart` is its parent.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

import onnxmem
from onnxmem.api.apart import ANSWER, ASKED, PROGRESS, Answer
from onnxmem.auditing import Progress
from onnxmem.errors import OnnxmemError
from onnxmem.inspecting import Trial


def main(scratch: Path) -> None:
    """Make the call that the parent asked for."""
    asked = msgspec.json.decode((scratch / ASKED).read_bytes())
    (scratch / ANSWER).write_bytes(msgspec.json.encode(_answer(asked, scratch)))


def _answer(asked: dict[str, Any], scratch: Path) -> Answer:
    options = {name: _received(value) for name, value in asked["options"].items()}
    function = getattr(onnxmem, asked["name"])
    if asked["name"] in _LISTENING:
        options["progress"] = _Told(scratch / PROGRESS)
    try:
        return Answer(msgspec.Raw(msgspec.json.encode(function(**options))))
    except MemoryError as error:
        return Answer(error="OutOfMemoryError", message=str(error) or "out of memory")
    except Exception as error:  # noqa: BLE001 - the parent raises it
        named = isinstance(error, (OnnxmemError, TypeError, ValueError))
        said = str(error) if named else f"internal error ({type(error).__name__}: {error})"
        return Answer(error=type(error).__name__, message=said)


_LISTENING = ("audit", "samples", "locate", "track")


class _Told:
    """Writes how far the call is, a line each time."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __call__(self, progress: Progress) -> None:
        with self._file.open("ab") as stream:
            stream.write(msgspec.json.encode(progress) + b"\n")


def _received(value: Any) -> Any:
    """Return an argument as the parent had it; see `onnxmem.api.apart`."""
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "array":
        return np.load(content, allow_pickle=False)
    if kind == "bytes":
        return Path(content).read_bytes()
    if kind == "path":
        return Path(content)
    if kind == "trial":
        values = _received(content)
        return Trial(**{**values, "recorded": tuple(values["recorded"])})
    if kind == "list":
        return [_received(one) for one in content]
    return {name: _received(one) for name, one in content}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
