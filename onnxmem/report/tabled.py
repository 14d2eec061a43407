"""A sentence and a table: as Markdown, and as a fragment for notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from onnxmem.report import web
from onnxmem.report.markdown import escaped
from onnxmem.text import printable

Cells = Sequence[str]


def markdown(title: str, said: str, titles: Cells, rows: Iterable[Cells]) -> str:
    """Return a heading, what was found in one line, and a table; its cells are Markdown."""
    lines, found = [f"## onnxmem: {escaped(title)}", "", escaped(said, 400), ""], list(rows)
    if found:
        lines += [_line(titles), _line(["---"] * len(titles)), *map(_line, found)]
    return "\n".join(lines) + "\n"


def fragment(said: str, titles: Cells, rows: Iterable[Cells]) -> str:
    """Return what was found and a table of plain text, without scripts."""
    template = web.environment().get_template("notebook_table.html")
    return template.render(said=printable(said, 400), titles=titles, rows=list(rows))


def _line(cells: Cells) -> str:
    return f"| {' | '.join(cells)} |"
