"""Kinds of values on the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    _ParamType = click.ParamType[tuple[str, ...]]
    _Path = click.Path[str]
else:  # generic from click 8.5 on
    _ParamType = click.ParamType
    _Path = click.Path


Offered = Callable[[], Iterable[str]]
"""Gives what a shell completes; called when one asks, so that nothing is imported before."""


class CommaSeparated(_ParamType):
    """Several words in one argument, separated by commas."""

    name = "LIST"

    def __init__(self, offered: Offered) -> None:
        self.offered = offered

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Complete the last word, with none that is there already."""
        before, comma, last = incomplete.rpartition(",")
        words = (one for one in self.offered() if one not in before.split(","))
        return _completions(f"{before}{comma}", words, last)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Split `value` at its commas."""
        if isinstance(value, (list, tuple)):
            return tuple(map(str, value))
        return tuple(part.strip() for part in str(value).split(",") if part.strip())


class Word(click.types.StringParamType):
    """Any text, of which some are completed."""

    def __init__(self, offered: Offered) -> None:
        self.offered = offered

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Complete what is offered."""
        return _completions("", self.offered(), incomplete)


def _completions(before: str, words: Iterable[str], beginning: str) -> list[CompletionItem]:
    return [CompletionItem(f"{before}{one}") for one in words if one.startswith(beginning)]


class FilePath(_Path):
    """A path that shells complete; what is wrong with it is found when it is opened."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return `value` without a look at what lies there.

        Raises:
            click.BadParameter: no path can be written so.
        """
        if "\0" in str(value):
            self.fail("a path holds no NUL characters", param, ctx)
        return str(value)


class OutputFile(FilePath):
    """Where to write, `-` for stdout; `/dev/stdout` may be a file, which must not be replaced."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return `value`, or `-` where it is another name of stdout; see `FilePath`."""
        return "-" if value == "/dev/stdout" else super().convert(value, param, ctx)
