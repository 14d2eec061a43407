"""Kinds of values on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    _ParamType = click.ParamType[tuple[str, ...]]
    _Path = click.Path[str]
else:  # generic from click 8.5 on
    _ParamType = click.ParamType
    _Path = click.Path


class CommaSeparated(_ParamType):
    """Several words in one argument, separated by commas."""

    name = "LIST"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Split `value` at its commas."""
        if isinstance(value, (list, tuple)):
            return tuple(map(str, value))
        return tuple(part.strip() for part in str(value).split(",") if part.strip())


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
