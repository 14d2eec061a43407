"""A comparison as Markdown: the sentences, the means, then every layer."""

from __future__ import annotations

from collections.abc import Iterable

from onnxmem.findings import (
    LAYER_TITLES,
    PAIR_TITLES,
    all_waivers_told,
    comparison_findings,
    layer_rows,
    likeness_rows,
    likeness_summary,
    two_numbers,
)
from onnxmem.records import Comparison
from onnxmem.report.findings import (
    APART,
    cell_text,
    findings,
    limits,
    relative_scores,
    row_name,
    starred,
    unequal_accuracies,
)
from onnxmem.report.markdown import MOST_BYTES, code, escaped
from onnxmem.report.words import column_title, sentence, shown_keys
from onnxmem.text import capitalized

SENTENCE = 2_000
_FEW = 3
"""Models whose layers have a table, pair by pair; of more the page and the JSON form have it."""
_MOST_PAIRS = 60


def render(comparison: Comparison) -> str:
    """Return the comparison as Markdown; rows of layers are left out where it gets too long."""
    head = ("Layer", "Curve", *(escaped(name) for name in comparison.models))
    lead = ["## onnxmem: comparison", "", *_said(comparison), "", *_evidence(comparison)]
    lead += [*_means(comparison), *_likeness(comparison)]
    if found := limits(comparison):
        lead += ["", "### What cannot be compared as it is", "", *_listed(found)]
    lead += ["", "<details><summary>Every model against the first</summary>", ""]
    lead += [*_listed(findings(comparison)), "", "</details>", ""]
    lead += ["<details><summary>AuC of each layer, and its difference from the first model"]
    lead += ["</summary>", "", _line(head), _line(["---"] * len(head))]
    rows = [
        _line((f"{place} {code(row_name(row))}", key, *map(cell_text, cells)))
        for place, row in enumerate(comparison.layers, start=1)
        for key, cells in row.scores.items()
    ]
    tail = ["", *([f"\\* {APART}.", ""] if starred(comparison) else []), "</details>", ""]
    tail += _listed(sentence(report) for report in comparison.reports if report.exit_code)
    tail += _listed(all_waivers_told(comparison))
    return "\n".join([*lead, *_as_room_allows(rows, [*lead, *tail]), *tail]) + "\n"


def _said(comparison: Comparison) -> list[str]:
    """Return what was found, the headline bold."""
    told = (f"{capitalized(one.sentence)}." for one in comparison_findings(comparison))
    lines = [escaped(one, SENTENCE) for one in told]
    return [f"**{line}**" if not place else f"- {line}" for place, line in enumerate(lines)]


def _means(comparison: Comparison) -> list[str]:
    """Return the lines of the mean AuCs, a row for each model."""
    keys = [key for key in shown_keys(*comparison.reports) if key in comparison.summary]
    titles = (" ".join(filter(None, column_title(key, keys))) for key in keys)
    head = ("Mean AuC", *titles)
    rows = [
        _line((escaped(name), *(cell_text(comparison.summary[key][place]) for key in keys)))
        for place, name in enumerate(comparison.models)
    ]
    if any(unequal_accuracies(comparison.models, comparison.reports)):
        scores = relative_scores(comparison)
        rows += [
            _line((f"{escaped(name)}, relative to its accuracy", *(scores[k][place] for k in keys)))
            for place, name in enumerate(comparison.models)
        ]
    return [_line(head), _line(["---"] * len(head)), *rows] if keys else []


def _evidence(comparison: Comparison) -> list[str]:
    """Return the lines of what can be compared whatever the architectures are."""
    rows = [_line(map(escaped, row)) for row in two_numbers(comparison)]
    head = [_line(("Model", "Memorized", "Label noise")), _line(["---"] * 3)]
    return [*head, *rows, ""] if rows else []


def _likeness(comparison: Comparison) -> list[str]:
    """Return the lines of how alike the models are on held-out inputs; none without such inputs."""
    if not comparison.predictions:
        return []
    title = f"### How alike they are on {comparison.held_out_samples:,} held-out inputs"
    tables = [(PAIR_TITLES, likeness_rows(comparison)), (LAYER_TITLES, layer_rows(comparison))]
    found = ["", title, "", *_listed([likeness_summary(comparison)])]
    for titles, rows in tables[: 2 if len(comparison.models) <= _FEW else 1]:
        found += ["", _line(titles), _line(["---"] * len(titles))]
        found += [_line(map(escaped, row)) for row in rows[:_MOST_PAIRS]]
        if len(rows) > _MOST_PAIRS:
            found += ["", f"{len(rows) - _MOST_PAIRS} more rows are in the JSON form."]
    return found


def _listed(sentences: Iterable[str]) -> list[str]:
    return [f"- {escaped(one, SENTENCE)}" for one in sentences]


def _as_room_allows(rows: list[str], others: list[str]) -> list[str]:
    """Return the first rows, as many as fit into `MOST_BYTES` beside the other lines."""
    left = MOST_BYTES - sum(len(line.encode()) + 1 for line in others) - 100
    kept: list[str] = []
    for row in rows:
        left -= len(row.encode()) + 1
        if left < 0:
            return [*kept, "", f"{len(rows) - len(kept)} more rows are in the JSON form."]
        kept.append(row)
    return kept


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
