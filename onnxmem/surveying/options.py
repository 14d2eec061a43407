"""Which options of `audit` a model of a survey may have, and how a command line has them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from onnxmem.errors import UsageError
from onnxmem.text import printable

FLAGS = ("cache", "exact", "exit_zero", "no_samples", "sandbox")
"""Options that are true or false."""

REPEATABLE = ("bind", "fail_over", "fail_under", "layers", "preprocess")
"""Options that may be given several times."""

PATHS = ("baseline", "class_names", "data", "held_out", "labels", "preprocess")
"""Options that name a file, and two of them something else as well: a split, or a pair."""

WORDS = (
    *("baseline_data", "batch", "classes", "compress", "device", "kind", "label_column"),
    *("max_drop", "memory", "metric", "min_accuracy", "output_name", "per_class", "pool"),
    *("ranks", "seed", "split", "timeout"),
)
OPTIONS = tuple(sorted({*FLAGS, *REPEATABLE, *PATHS, *WORDS}))

_TRUE = ("true", "yes", "1", True, 1)
_FALSE = ("false", "no", "0", "", False, 0)


def unified(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return options by their names, with no dashes.

    Raises:
        UsageError: there is no such option; the message begins with `where`.
    """
    found = {}
    for given, value in values.items():
        key = "no_samples" if given == "without_samples" else str(given).replace("-", "_")
        if key not in OPTIONS:
            near = difflib.get_close_matches(key, OPTIONS, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(OPTIONS)}"
            raise UsageError(f"{where}: unknown key {printable(str(given))!r}; {hint}")
        if key in found:
            raise UsageError(f"{where}: {printable(key)!r} is given twice; keep one")
        found[key] = value
    return found


def placed(values: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return options whose relative paths are those from `folder` on."""
    return {
        key: _placed(value, folder, key) if key in PATHS else value for key, value in values.items()
    }


def _placed(value: Any, folder: Path, key: str) -> Any:
    if isinstance(value, list):
        return [_placed(one, folder, key) for one in value]
    if not isinstance(value, str) or (key == "preprocess" and "=" in value):
        return value
    path = folder / value
    return value if key == "held_out" and not path.exists() else str(path)


def take_room(values: dict[str, Any]) -> tuple[float | None, bool]:
    """Take out of options what the parent sees to: the seconds of a model, and its sandbox.

    Raises:
        UsageError: a value that the option does not take.
    """
    given, sandbox = values.pop("timeout", None), values.pop("sandbox", True)
    if not isinstance(sandbox, (str, bool, int)) or sandbox not in (*_TRUE, *_FALSE):
        raise UsageError(f"--sandbox: {printable(str(sandbox))!r} is neither true nor false")
    try:
        seconds = None if given is None else float(given)
    except (TypeError, ValueError):
        seconds = 0.0
    if seconds is not None and not seconds > 0:
        raise UsageError(f"--timeout {printable(str(given))}: give seconds above 0")
    return seconds, sandbox in _TRUE


def arguments(values: Mapping[str, Any]) -> list[str]:
    """Return options as words of a command line, each with its value in one word.

    Raises:
        UsageError: a value that an option does not take.
    """
    return [word for key, value in values.items() for word in _words(key, value)]


def _words(key: str, value: Any) -> Iterator[str]:
    option = f"--{key.replace('_', '-')}"
    if key in FLAGS:
        if not isinstance(value, (str, bool, int)) or value not in (*_TRUE, *_FALSE):
            raise UsageError(f"{option}: {printable(str(value))!r} is neither true nor false")
        if value in _TRUE:
            yield option
        elif key == "cache":
            yield "--no-cache"
    elif key in REPEATABLE:
        yield from (f"{option}={one}" for one in _several(value))
    else:
        several = isinstance(value, (list, tuple))
        yield f"{option}={','.join(map(str, value)) if several else value}"


def _several(value: Any, prefix: str = "") -> Iterator[str]:
    """Yield values, those of tables as `KEY=VALUE`: `nmf.mixed = 0.5` is a table in a table."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            if isinstance(one, Mapping):
                yield from _several(one, f"{prefix}{key}.")
            else:
                yield f"{prefix}{key}={','.join(map(str, one)) if isinstance(one, list) else one}"
    else:
        yield from map(str, value if isinstance(value, (list, tuple)) else [value])
