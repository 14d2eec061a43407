"""The process that audits one model: it limits itself, and then is `onnxmem audit`.

    python -P -m onnxmem.surveying.child ORDERS

It ends with its parent: its standard input is a pipe that the parent holds open and never writes
to.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import msgspec

from onnxmem import graph
from onnxmem.surveying.inputs import stamps
from onnxmem.surveying.limits import set_limits


@dataclass(frozen=True, slots=True)
class Orders:
    """What the parent wants.

    Attributes:
        model: the file to audit.
        files: others that the audit reads.
        inputs: where to write what all of them are like before the audit begins.
        arguments: of `onnxmem`.
        memory: bytes of data to hold at most.
        timeout: seconds that it may take, None for as long as it likes.
    """

    model: str
    files: tuple[str, ...]
    inputs: str
    arguments: tuple[str, ...]
    memory: int
    timeout: float | None


def main() -> None:
    """Carry the orders out."""
    orders = msgspec.json.decode(sys.argv[1], type=Orders)
    set_limits(orders.memory, orders.timeout)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _note_inputs(orders)
    sys.argv = ["onnxmem", *orders.arguments]
    runpy.run_module("onnxmem", run_name="__main__", alter_sys=True)


def _note_inputs(orders: Orders) -> None:
    """Write what the files are like, those of the model's weights included.

    Nothing is written where the model cannot be read at all; the audit says why.
    """
    try:
        weights = graph.data_files(orders.model)
    except Exception:  # noqa: BLE001 - whatever is wrong with the model, the audit says it
        return
    found = stamps([orders.model, *orders.files, *weights])
    Path(orders.inputs).write_bytes(msgspec.json.encode(found))


def _end_with_parent() -> None:
    while os.read(sys.__stdin__.fileno() if sys.__stdin__ else 0, 1):
        pass
    if hasattr(os, "killpg") and os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(4)


if __name__ == "__main__":
    main()
