"""Commands that open models: they run in a child that may take and touch little.

What the child may touch is what the command line names: options and arguments that are paths.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import click

from onnxmem import sandbox
from onnxmem.errors import EnvironmentFailedError, UsageError
from onnxmem.sizes import parse_size
from onnxmem.text import printable

from .configured import ConfiguredCommand
from .entry import INTERRUPTED, Run
from .parameters import FilePath, OutputFile
from .streams import tell

_CODES = frozenset({0, 1, 2, 3, 4, INTERRUPTED})
_READ = ("FILE", "DATA", "MODEL")
"""What the metavar of an option says that may be a path, beside other words."""

_STDERR = ("/dev/stderr", "/dev/fd/2")
_OF_THE_CHILD = ("timeout", "sandbox")
_MADE = "output"
"""The option that names what a command makes, be it a file or a folder."""


class SandboxedCommand(click.Command):
    """Goes on in a child, where it was called as a command of its own."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, which knows nothing of the child; return its exit code."""
        code = _in_a_child(ctx)
        for name in _OF_THE_CHILD:
            ctx.params.pop(name, None)
        return super().invoke(ctx) if code is None else code


class SandboxedConfiguredCommand(ConfiguredCommand):
    """The same, with options that may stand in a file."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; return its exit code."""
        code = _in_a_child(ctx)
        return super().invoke(ctx) if code is None else code


def _in_a_child(ctx: click.Context) -> int | None:
    """Go on in a child; return its exit code in the parent, None where the command runs now.

    Raises:
        EnvironmentFailedError: the child died; the message says of what.
    """
    run = ctx.find_object(Run)
    wanted = ctx.params.get("sandbox", True)
    seconds = _seconds(ctx.params.get("timeout"))
    if sandbox.is_confined():
        return None
    if not wanted:
        sandbox.switched_off("--no-sandbox")
    if run is None or not run.alone or not (wanted or seconds):
        return None
    from onnxmem.sandbox import forked

    if not forked.CAN_FORK:
        sandbox.switched_off("this system cannot fork")
        _end_after(seconds, _named(ctx))
        return None
    heard = run.verbose or any(path in _STDERR for _, path in _paths(ctx))
    ended = forked.fork(_room(ctx, seconds), verbose=heard)
    if ended is None:
        return None
    if ended.stopped and (ended.died or ended.code not in _CODES):
        tell("onnxmem: interrupted; no output was written")
        return INTERRUPTED
    if ended.died:
        raise EnvironmentFailedError(f"{_named(ctx)}: {ended.cause}")
    if ended.code not in _CODES:
        raise EnvironmentFailedError(f"{_named(ctx)}: its process ended with code {ended.code}")
    return ended.code


def _end_after(seconds: float | None, name: str) -> None:
    """End this process when its time is over, where there is no parent that can."""

    def end() -> None:
        tell(f"onnxmem: error: {name}: it took longer than --timeout {seconds:g} s")
        os._exit(4)

    if seconds is not None:
        timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), end)
        timer.daemon = True
        timer.start()


def _room(ctx: click.Context, seconds: float | None) -> sandbox.Room:
    reads, writes = dict.fromkeys(_reads(ctx)), dict.fromkeys(_writes(ctx))
    return sandbox.Room(
        tuple(reads),
        tuple(writes),
        _data(ctx.params.get("memory"), reads),
        seconds,
        confined=bool(ctx.params.get("sandbox", True)),
    )


def _seconds(given: float | None) -> float | None:
    """Return how long the command may take.

    Raises:
        UsageError: no time at all.
    """
    if given is not None and not given > 0:
        raise UsageError(f"--timeout {given}: give seconds above 0")
    return given


def _data(memory: str | None, reads: Iterable[str]) -> int | None:
    """Return the bytes of data that the child may hold; None where nothing was asked for."""
    from onnxmem.sandbox.limits import data_limit
    from onnxmem.sandbox.places import size

    try:
        return None if memory is None else data_limit(parse_size(memory), files=size(reads))
    except UsageError:
        return None  # the command says so


def _reads(ctx: click.Context) -> Iterator[str]:
    from onnxmem.sandbox.places import of_data, of_model

    for parameter, path in _paths(ctx):
        if not _is_written(parameter):
            is_model = isinstance(parameter, click.Argument) or parameter.metavar == "MODEL"
            yield from (of_model if is_model else of_data)(path)


def _writes(ctx: click.Context) -> Iterator[str]:
    from onnxmem.sandbox.places import of_output

    for parameter, path in _paths(ctx):
        if _is_written(parameter) and path != "-":
            yield from of_output(path)


def _paths(ctx: click.Context) -> Iterator[tuple[click.Parameter, str]]:
    """Yield all values that are, or may be, paths."""
    for parameter in ctx.command.params:
        value = ctx.params.get(parameter.name or "")
        says = parameter.metavar or ""
        if isinstance(parameter.type, FilePath) or any(word in says for word in _READ):
            for one in value if isinstance(value, (list, tuple)) else [value]:
                if isinstance(one, str) and (_is_written(parameter) or os.path.lexists(one)):
                    yield parameter, one


def _is_written(parameter: click.Parameter) -> bool:
    return isinstance(parameter.type, OutputFile) or parameter.name == _MADE


def _named(ctx: click.Context) -> str:
    """Return what the command is about: its first argument, else its name."""
    for parameter in ctx.command.params:
        if isinstance(parameter, click.Argument) and ctx.params.get(parameter.name or ""):
            value = ctx.params[parameter.name or ""]
            one = value if isinstance(value, str) else value[0]
            return printable(one, 200)
    return str(ctx.info_name)
