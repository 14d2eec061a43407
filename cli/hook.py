"""The pre-commit hook: `onnxmem inspect` for each of several models."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from onnxmem.text import printable

from .entry import main
from .streams import tell


def run(arguments: Sequence[str], *, alone: bool = False) -> int:
    """Inspect every `.onnx` file of `arguments` with the options that stand beside them.

    Args:
        arguments: models and options.
        alone: whether this process does nothing else, see `onnxmem.cli.entry.main`.

    Returns:
        The highest exit code of all; 0 if each file can be read and has a site to cut, or has no
        activation at all.
    """
    models = [argument for argument in arguments if argument.endswith(".onnx")]
    options = [argument for argument in arguments if argument not in models]
    return max((_inspect(model, options, alone) for model in models), default=0)


def _inspect(model: str, options: Sequence[str], alone: bool) -> int:
    tell(f"{printable(model, 200)}:")
    try:
        main(["inspect", "--allow-none", *options, "--", model], alone=alone)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 4
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], alone=True))
