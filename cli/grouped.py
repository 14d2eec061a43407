"""Options in groups: the help of a command with many lists them by what they are about."""

from __future__ import annotations

from typing import Any

import click

DATA, MEASURING, RUNNING, GATES, OUTPUTS = (
    "Data",
    "What to measure",
    "How to run",
    "Gates",
    "Outputs",
)
GROUPS = (DATA, MEASURING, RUNNING, GATES, OUTPUTS)


class GroupedOption(click.Option):
    """An option that belongs to a group."""

    def __init__(self, *declarations: Any, group: str, **settings: Any) -> None:
        super().__init__(*declarations, **settings)
        self.group = group


class GroupedCommand(click.Command):
    """A command whose help has a section for each group."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, those of no group at the end."""
        found: dict[str, list[tuple[str, str]]] = {name: [] for name in (*GROUPS, "Options")}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if isinstance(parameter, click.Option) and record is not None:
                found[getattr(parameter, "group", "Options")].append(record)
        for title, records in found.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)
