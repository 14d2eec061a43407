"""A new interpreter that enters a room, and then is another module.

    python -P -m onnxmem.sandbox.child ORDERS.json

It ends with its parent, which holds the other end of its standard input.
"""

from __future__ import annotations

import runpy
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from onnxmem.sandbox.lifeline import end_with_parent
from onnxmem.sandbox.room import Room, enter


@dataclass(frozen=True, slots=True)
class Orders:
    """What the parent wants: the room, the module to run, and its arguments."""

    room: Room
    module: str
    arguments: tuple[str, ...]


def main() -> None:
    """Carry the orders out."""
    orders = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Orders)
    enter(orders.room)
    end_with_parent(sys.__stdin__.fileno() if sys.__stdin__ else 0)
    sys.argv = [orders.module, *orders.arguments]
    runpy.run_module(orders.module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
