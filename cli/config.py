"""Options from `onnxmem.toml`, or from `[tool.onnxmem]` of `pyproject.toml`.

The nearest of these files counts: that of the current folder, or of one above it up to the root
of the repository. Outside of a repository only the current folder is looked at.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from onnxmem.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from onnxmem.records import Waiver

CONFIGURABLE = ("audit", "compare", "locate", "samples", "survey", "track")
PATHS = {"DATA", "DIR", "FILE", "FILE|samples", "MODEL", "REPORT.json"}
"""Metavars of options that take a path; in a file it is relative to that file."""
DEEPEST = 8
"""Tables within tables that a key may be written as."""
DEEPEST_VALUE = 100
"""Lists and tables within each other in a file; what is far deeper cannot even be printed."""

ASKED_FOR = ("trust_links",)
"""Options of the command line alone: a file may come with the model that asks for them."""

WAIVER = "waiver"
"""Key of the tables that are no option."""
PATH_OR_PAIR = "FILE|KEY=VALUE"
"""Metavar of an option that takes either, told apart by the sign."""


@dataclass(frozen=True, slots=True)
class Config:
    """What a file sets. `defaults` are click's: for each command, option -> value."""

    path: Path = Path()
    defaults: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    verbose: bool = False
    waivers: tuple[Waiver, ...] = ()

    def in_force(self, ctx: click.Context) -> dict[str, Any]:
        """Return option -> value of what the file sets and the command line of `ctx` does not."""
        return {
            key: value
            for key, value in self.defaults.get(ctx.info_name or "", {}).items()
            if ctx.get_parameter_source(key) is ParameterSource.DEFAULT_MAP
        }

    def place(self, key: str, value: Any) -> str:
        """Return in which file, and in which table of it, an option gets its value."""
        return f"{_where(self.path)} {assignment(key, value)}"


def assignment(key: str, value: Any) -> str:
    """Return an option and its value as one line."""
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"{_spelled(key)} = {text}"


def find(ctx: click.Context) -> Config:
    """Return what the nearest configuration sets for the commands that take settings.

    Raises:
        ConfigError: a file cannot be read, has a key that is no option or stands there twice, or a
            value of another type than the option takes.
    """
    path, values = _nearest(Path.cwd())
    if not values:
        return Config()
    path = Path(os.path.relpath(path))
    values = _unified(values, path)
    waivers = _waivers(values.pop(WAIVER, []), path)
    options = {name: _options(ctx, name) for name in CONFIGURABLE}
    for key in values:
        _check_key(key, {WAIVER}.union(*options.values()), path)
    defaults = {
        name: {key: _argument(values[key], own[key], path) for key in values if key in own}
        for name, own in options.items()
    }
    return Config(path, defaults, values.get("verbose") is True, waivers)


def _waivers(tables: Any, path: Path) -> tuple[Waiver, ...]:
    """Return the waivers of a file.

    Raises:
        ConfigError: they are no tables, or one of them makes no sense.
    """
    if not tables:
        return ()
    from onnxmem.auditing.waivers import check_waivers
    from onnxmem.records import make_waiver

    try:
        if not isinstance(tables, list) or not all(isinstance(one, Mapping) for one in tables):
            raise UsageError("write each as a table of its own: [[waiver]]")
        waivers = tuple(map(make_waiver, tables))
        check_waivers(waivers)
    except UsageError as error:
        raise ConfigError(f"{_where(path)} [[waiver]]: {error}") from error
    return waivers


def _options(ctx: click.Context, name: str) -> dict[str, click.Option]:
    """Return the options of a command by the name that a configuration gives them."""
    assert isinstance(ctx.command, click.Group)
    command = ctx.command.get_command(ctx, name)
    assert command is not None
    options = {p.name: p for p in command.params if isinstance(p, click.Option) and p.name}
    return {name: option for name, option in options.items() if name not in ASKED_FOR}


def _nearest(here: Path) -> tuple[Path, Mapping[str, Any]]:
    """Return the nearest file that configures onnxmem, and what it says."""
    for folder in _upwards(here):
        own, project = folder / "onnxmem.toml", folder / "pyproject.toml"
        if own.is_file():
            return own, _read(own)
        if project.is_file():
            tools = _table(_read(project), "tool", project)
            if "onnxmem" in tools:
                return project, _table(tools, "onnxmem", project)
    return here, {}


def _upwards(here: Path) -> list[Path]:
    """Return the folders to look at: up to the root of the repository, or `here` alone."""
    folders = [here, *here.parents]
    root = next((place for place, one in enumerate(folders) if (one / ".git").exists()), 0)
    return folders[: root + 1]


def _table(values: Mapping[str, Any], key: str, path: Path) -> Mapping[str, Any]:
    table = values.get(key, {})
    if not isinstance(table, Mapping):
        raise ConfigError(f"{path}: {key!r} must be a table, such as [tool.onnxmem]")
    return table


def _read(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error
    if _depth(values) > DEEPEST_VALUE:
        raise ConfigError(f"cannot read {path}: its lists and tables are too deep")
    return values


def _depth(value: Any) -> int:
    """Return how deep lists and tables lie in each other, without any recursion."""
    depth, level = 0, [value]
    while level := [one for one in level if isinstance(one, (list, dict))]:
        depth += 1
        level = [
            inner for one in level for inner in (one.values() if isinstance(one, dict) else one)
        ]
    return depth


def _where(path: Path) -> str:
    """Return the file, and the table that a project's file keeps the options in."""
    return f"{path}: [tool.onnxmem]" if path.name == "pyproject.toml" else f"{path}:"


def _unified(values: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return the values by the names of the options, with no dashes."""
    found: dict[str, str] = {}
    for key in values:
        name = key.replace("-", "_")
        if name in found:
            raise ConfigError(
                f"{_where(path)} sets {found[name]!r} and {key!r}, which are one option; keep one"
            )
        found[name] = key
    return {name: values[key] for name, key in found.items()}


def _check_key(key: str, known: set[str], path: Path) -> None:
    if key in known:
        return
    import difflib

    near = difflib.get_close_matches(key, sorted(known), 1)
    hint = f"did you mean {_spelled(near[0])!r}?" if near else f"there are {_listed(known)}"
    raise ConfigError(f"{_where(path)} unknown key {_spelled(key)!r}; {hint}")


def _listed(keys: set[str]) -> str:
    return ", ".join(map(_spelled, sorted(keys)))


def _spelled(key: str) -> str:
    return key.replace("_", "-")


def _argument(value: Any, option: click.Option, path: Path) -> Any:
    """Return a value as the command line would bring it; tables become `KEY=VALUE`."""
    if option.is_flag:
        if not isinstance(value, (bool, int, str)):
            name = assignment(str(option.name), value)
            raise ConfigError(f"{_where(path)} {name}: give true or false")
        return value if isinstance(value, bool) else str(value)
    if option.metavar in PATHS:
        if not isinstance(value, str):
            name = assignment(str(option.name), value)
            raise ConfigError(f"{_where(path)} {name}: give a path, in quotes")
        is_word = value == "-" or value in option.metavar.split("|")[1:]
        return value if is_word else os.path.relpath(path.parent / value)
    if isinstance(value, Mapping):
        try:
            items = list(_pairs(value))
        except ValueError as error:
            raise ConfigError(f"{_where(path)} {_spelled(str(option.name))}: {error}") from error
    else:
        items = [str(item) for item in (value if isinstance(value, list) else [value])]
        if option.metavar == PATH_OR_PAIR:
            items = [one if "=" in one else os.path.relpath(path.parent / one) for one in items]
    return items if option.multiple else ",".join(items)


def _pairs(table: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield `KEY=VALUE`; a table within the table, such as `nmf.mixed = 0.5`, adds its name."""
    if prefix.count(".") > DEEPEST:
        raise ValueError("its tables are too deep")
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _pairs(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}={value}"
