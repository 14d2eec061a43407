"""How alike several models are on held-out inputs, in sentences, rows and matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from onnxmem.findings.numbers import percent
from onnxmem.text import printable

if TYPE_CHECKING:
    from onnxmem.records import Comparison, Predictions, Similarity

PAIR_TITLES = ("models", "same answer", "κ", "CKA, logits", "neighbours, logits")
LAYER_TITLES = ("layer", "models", "CKA", "neighbours")


def likeness_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """Return a row under `PAIR_TITLES` for each pair of models; none without held-out inputs."""
    at_output = _at_output(comparison)
    return [
        (
            f"{one.a} – {one.b}",
            percent(one.agreement),
            _kappa(one),
            _cka(at_output.get((one.a, one.b))),
            _overlap(at_output.get((one.a, one.b))),
        )
        for one in comparison.predictions
    ]


def layer_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """Return a row under `LAYER_TITLES` for each pair of layers that correspond."""
    return [
        (_layer(one), f"{one.a} – {one.b}", _cka(one), _overlap(one))
        for one in comparison.similarity
        if one.kind == "site"
    ]


def _layer(one: Similarity) -> str:
    name = printable(one.layer, 60)
    return name if one.layer == one.counterpart else f"{name} – {printable(one.counterpart, 60)}"


def matrices(comparison: Comparison) -> dict[str, list[list[float | None]]]:
    """Return what has one number for each pair of models, as symmetric matrices by title.

    Rows and columns are the models; None where a pair has no number, 1 on the diagonal of those
    that took part.
    """
    at_output = _at_output(comparison)
    kappas = {(one.a, one.b): one.kappa for one in comparison.predictions}
    ckas = {pair: one.cka for pair, one in at_output.items()}
    overlaps: dict[tuple[str, str], float | None] = {
        pair: one.neighbour_overlap for pair, one in at_output.items()
    }
    found = {"κ of predictions": kappas, "CKA of logits": ckas}
    found["Nearest neighbours in common, logits"] = overlaps
    return {title: _matrix(comparison.models, pairs.get) for title, pairs in found.items() if pairs}


def _matrix(
    models: tuple[str, ...], value: Callable[[tuple[str, str]], float | None]
) -> list[list[float | None]]:
    rows: list[list[float | None]] = [[None] * len(models) for _ in models]
    for i, one in enumerate(models):
        for j, other in enumerate(models[i + 1 :], start=i + 1):
            rows[i][j] = rows[j][i] = value((one, other))
    for i, row in enumerate(rows):
        row[i] = 1.0 if any(one is not None for one in row) else None
    return rows


def _at_output(comparison: Comparison) -> dict[tuple[str, str], Similarity]:
    return {(one.a, one.b): one for one in comparison.similarity if one.kind == "output"}


def _kappa(one: Predictions) -> str:
    if one.kappa is None or one.kappa_low is None or one.kappa_high is None:
        return "–"
    return f"{one.kappa:.2f} ({one.kappa_low:.2f}–{one.kappa_high:.2f})"


def _cka(one: Similarity | None) -> str:
    return "–" if one is None or one.cka is None else f"{one.cka:.2f}"


def _overlap(one: Similarity | None) -> str:
    return "–" if one is None else percent(one.neighbour_overlap)
