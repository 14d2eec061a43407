"""The command line: arguments in, exit codes out. One file for each command.

Help and completion are quick: what a command runs is imported where that work begins, and what
tables are shown with where one is shown. At the top of a file stands what its options need, and
names of types for annotations.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .signals import terminable
from .streams import tell

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; an interrupt is answered from the first import on."""
    try:
        with terminable():
            from .entry import main as run

            run(arguments)
    except KeyboardInterrupt:
        tell("onnxmem: interrupted; no output was written")
        sys.exit(130)
