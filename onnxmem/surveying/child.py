"""What an audit of a survey is: it notes what its files are like, and then is `onnxmem audit`.

    python -m onnxmem.surveying.child ORDERS

It runs in a room, see `onnxmem.sandbox.child`.
"""

from __future__ import annotations

import runpy
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from onnxmem import graph
from onnxmem.surveying.inputs import stamps


@dataclass(frozen=True, slots=True)
class Orders:
    """What the parent wants.

    Attributes:
        model: the file to audit.
        files: others that the audit reads.
        inputs: where to write what all of them are like before the audit begins.
        arguments: of `onnxmem`.
    """

    model: str
    files: tuple[str, ...]
    inputs: str
    arguments: tuple[str, ...]


def main() -> None:
    """Carry the orders out."""
    orders = msgspec.json.decode(sys.argv[1], type=Orders)
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


if __name__ == "__main__":
    main()
