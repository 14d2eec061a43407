"""Tables of the commands that make no report."""

from __future__ import annotations

from rich.box import SIMPLE
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from onnxmem.doctor import Diagnosis

_STYLES = {"ok": "green", "missing": "yellow", "broken": "red"}


def diagnosis_table(diagnosis: Diagnosis) -> RenderableType:
    """Return what the doctor found, and below it the lines that mend what is wrong."""
    table = Table(box=SIMPLE, header_style="bold")
    for title in ("check", "state", "what was found"):
        table.add_column(title, overflow="fold")
    for check in diagnosis.checks:
        style = _STYLES[check.state]
        table.add_row(Text(check.name), Text(check.state, style), Text(check.detail))
    mends = [Text(f"{check.name}: {check.mend}") for check in diagnosis.checks if check.mend]
    return Group(table, *mends, Text(f"Audits run on: {diagnosis.device or 'nothing'}"))
