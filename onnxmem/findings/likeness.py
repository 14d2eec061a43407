"""How alike several models are on held-out inputs, in sentences, rows and matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from onnxmem.findings.comparison import short_names
from onnxmem.findings.numbers import counted, percent, signed
from onnxmem.text import printable

if TYPE_CHECKING:
    from onnxmem.records import Comparison, Predictions, Similarity

PAIR_TITLES = ("models", "same answer", "κ", "CKA, logits", "neighbours, logits")
LAYER_TITLES = ("layer", "models", "CKA", "neighbours")


ALIKE_KAPPA, ALIKE_CKA = 0.6, 0.7
APART_KAPPA, APART_CKA = 0.4, 0.5
"""From where on two models learned alike, and up to where they memorized apart; in between neither
is said. All pairs of networks in `benchmarks/results/likeness.md` that were trained on true labels
are above the first; those whose labels were all random are below the second, or in between."""

KNOWN = 0.9
"""Training accuracy from which on a model knows its labels."""

MEMORIZED = 0.2
"""Memorized share whose lower bound lies above this: nothing is said of learning."""

_COPIES = 0.9999
_MOST = 10
"""Pairs that have a sentence."""


def likeness_findings(comparison: Comparison) -> list[str]:
    """Return how alike every pair of models is on held-out inputs, a sentence each."""
    at_output = _at_output(comparison)
    found = [
        _sentence(comparison, one, at_output.get((one.a, one.b)))
        for one in comparison.predictions[:_MOST]
    ]
    if (more := len(comparison.predictions) - _MOST) > 0:
        found.append(f"{more} more pairs of models are in the JSON form.")
    return found


def likeness_summary(comparison: Comparison) -> str:
    """Return in one sentence how alike the models are; an empty string without held-out inputs."""
    pairs = sorted(comparison.predictions, key=lambda one: (one.kappa or 0.0, one.agreement))
    if len(pairs) < 2:
        return "".join(likeness_findings(comparison))
    least, most = (_answers(comparison, one) for one in (pairs[0], pairs[-1]))
    inputs = counted(comparison.held_out_samples, "held-out input")
    return f"On {inputs} {most} agree the most, {least} the least."


def _answers(comparison: Comparison, pair: Predictions) -> str:
    """Return the names of two models, and how far their answers agree."""
    short = _short(comparison)
    kappa = "" if pair.kappa is None else f", κ {signed(pair.kappa, 2)}"
    return f"{short[pair.a]} and {short[pair.b]} ({percent(pair.agreement)}{kappa})"


def _sentence(comparison: Comparison, pair: Predictions, output: Similarity | None) -> str:
    inputs = f"{comparison.held_out_samples:,} held-out inputs"
    kappa = "" if pair.kappa is None else f" (κ {_kappa(pair)})"
    logits = "" if output is None or output.cka is None else f"; CKA of their logits {_cka(output)}"
    numbers = f"the same answer to {percent(pair.agreement)} of {inputs}{kappa}{logits}"
    short = _short(comparison)
    names = f"{short[pair.a]} and {short[pair.b]}"
    cka = None if output is None else output.cka
    if pair.kappa is None or cka is None:
        return f"{names} give {numbers}."
    if pair.agreement == 1 and cka > _COPIES:
        return (
            f"{names} give the same outputs on {inputs}: copies or exports of one network, which "
            "tells nothing of how it learned."
        )
    if pair.kappa >= ALIKE_KAPPA and cka >= ALIKE_CKA and not _memorized(comparison, pair):
        return f"{names} learned alike: {numbers}."
    if pair.kappa > APART_KAPPA or cka > APART_CKA:
        return f"{names} give {numbers}."
    if _both_know(comparison, pair):
        return f"{names} memorized apart: both know the training labels, and give {numbers}."
    return (
        f"{names} answer apart: {numbers}; that they memorized is said of models alone that know "
        "the same training labels."
    )


def _both_know(comparison: Comparison, pair: Predictions) -> bool:
    """Tell whether both models know the labels of the same training samples."""
    one, other = (comparison.reports[comparison.models.index(name)] for name in (pair.a, pair.b))
    same = one.data.batches == other.data.batches != ""
    baselines = [report.baseline for report in (one, other) if report.baseline.metric == "top1"]
    known = [base for base in baselines if base.value is not None and base.value >= KNOWN]
    return same and len(known) == 2


def _memorized(comparison: Comparison, pair: Predictions) -> bool:
    """Tell whether one of the models is known to have memorized much."""
    found = [comparison.reports[comparison.models.index(name)] for name in (pair.a, pair.b)]
    networks = [one.evidence.network for one in found if one.evidence is not None]
    return any(one is not None and one.memorized_share.low > MEMORIZED for one in networks)


def likeness_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """Return a row under `PAIR_TITLES` for each pair of models; none without held-out inputs."""
    at_output, short = _at_output(comparison), _short(comparison)
    return [
        (
            f"{short[one.a]} – {short[one.b]}",
            percent(one.agreement),
            _kappa(one),
            _cka(at_output.get((one.a, one.b))),
            _overlap(at_output.get((one.a, one.b))),
        )
        for one in comparison.predictions
    ]


def layer_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """Return a row under `LAYER_TITLES` for each pair of layers that correspond."""
    short = _short(comparison)
    return [
        (_layer(one), f"{short[one.a]} – {short[one.b]}", _cka(one), _overlap(one))
        for one in comparison.similarity
        if one.kind == "site"
    ]


def _short(comparison: Comparison) -> dict[str, str]:
    """Return what each model is called beside the others, made harmless."""
    names = (printable(name, 60) for name in short_names(comparison.models))
    return dict(zip(comparison.models, names, strict=True))


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
    value, low, high = (signed(each, 2) for each in (one.kappa, one.kappa_low, one.kappa_high))
    return f"{value} ({low}{' to ' if '−' in low else '–'}{high})"


def _cka(one: Similarity | None) -> str:
    return "–" if one is None or one.cka is None else f"{one.cka:.2f}"


def _overlap(one: Similarity | None) -> str:
    return "–" if one is None else percent(one.neighbour_overlap)
