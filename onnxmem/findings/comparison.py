"""What a comparison found, in sentences: one for all models, whatever their number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING

from onnxmem.findings.finding import Finding
from onnxmem.findings.numbers import listed, percent
from onnxmem.text import capitalized

if TYPE_CHECKING:
    from onnxmem.records import Cell, Comparison

_TITLES = {"nmf": "NMF", "pca": "PCA", "ablation": "ablation"}
_BATCHES = ("mixed", "class")
_WORDS = {"mixed": "mixed", "class": "single-class"}
_MOST = 8
"""Models that one sentence names; of more, the first and the last of the order."""

Scored = tuple[str, float, float | None, float | None]
"""A model's name, its value, and the ends of its interval."""


def comparison_findings(comparison: Comparison) -> list[Finding]:
    """Return what all models say together: the order of their mean AuCs, then what they memorized.

    Of each kind of batch there is one sentence, which also says whether the compressors agree.
    """
    names = short_names(comparison.models)
    found = [_order(comparison, names, batch) for batch in _BATCHES]
    return [one for one in (*found, _memorized(comparison, names)) if one is not None]


def comparison_headline(comparison: Comparison) -> str:
    """Return the finding of most weight as a sentence of its own, without a full stop."""
    found = comparison_findings(comparison)
    if not found:
        return "No score was measured in two models"
    return capitalized(found[0].sentence)


def short_names(models: Sequence[str]) -> list[str]:
    """Return names without the beginning and the end that all of them share; none is empty."""
    if len(models) < 2:
        return list(models)
    head = _to_word(_shared(models))
    tail = _shared([name[::-1] for name in models])[::-1]
    tail = tail[tail.index(".") :] if "." in tail else ""
    short = [name[len(head) : len(name) - len(tail) or None] for name in models]
    return short if all(short) and len(set(short)) == len(short) else list(models)


def _shared(names: Sequence[str]) -> str:
    """Return the characters that all names begin with."""
    equal = takewhile(lambda column: len(set(column)) == 1, zip(*names, strict=False))
    return "".join(column[0] for column in equal)


def _to_word(head: str) -> str:
    """Return a beginning up to where a word begins, so that no name is cut inside of one."""
    end = max(head.rfind(mark) for mark in "-_/ ")
    return head[: end + 1]


def _order(comparison: Comparison, names: Sequence[str], batch: str) -> Finding | None:
    """Return the models by falling mean AuC, as the first compressor has them."""
    keys = [f"{name}.{batch}" for name in _TITLES if f"{name}.{batch}" in comparison.summary]
    if batch == "class" and "ablation.mixed" in comparison.summary:
        keys = [key for key in keys if key != "ablation.class"]  # it is the same for both
    scored = [(key, _scored(names, comparison.summary[key])) for key in keys]
    told = [(key, by) for key, by in scored if len(by) > 1]
    if not told:
        return None
    (leading, first), *others = told
    compressor, chain = _TITLES[leading.split(".")[0]], _chain(first, _auc)
    course = "falls" if ">" in chain else "is alike within its intervals:"
    return Finding(
        key=leading,
        sentence=(
            f"mean AuC ({compressor}, {_WORDS[batch]} batches) {course} {chain}"
            f"{_agreement(leading, first, others)}"
        ),
        caution="≈ stands where the 95 % intervals of neighbours overlap",
    )


def _scored(names: Sequence[str], cells: Sequence[Cell | None]) -> list[Scored]:
    found = [
        (name, cell.auc, cell.auc_low, cell.auc_high)
        for name, cell in zip(names, cells, strict=True)
        if cell is not None and cell.auc is not None
    ]
    return sorted(found, key=lambda one: -one[1])


def _chain(ordered: Sequence[Scored], form: Callable[[float], str]) -> str:
    """Return names and values in their order, > between those whose intervals are apart."""
    shown = ordered if len(ordered) <= _MOST else (*ordered[:3], *ordered[-3:])
    words = [f"{shown[0][0]} {form(shown[0][1])}"]
    for place, (before, after) in enumerate(pairwise(shown), start=1):
        if len(ordered) > _MOST and place == 3:
            words.append(f"> … {len(ordered) - 6} more … >")
        else:
            words.append(">" if _apart(before, after) else "≈")
        words.append(f"{after[0]} {form(after[1])}")
    return " ".join(words)


def _auc(value: float) -> str:
    return f"{value:.3f}"


def _apart(one: Scored, other: Scored) -> bool:
    """Tell whether the intervals have nothing in common, or without intervals the values."""
    if None in (*one[2:], *other[2:]):
        return one[1] != other[1]
    return bool(one[2] > other[3] or other[2] > one[3])  # type: ignore[operator]


def _agreement(
    leading: str, first: Sequence[Scored], others: Sequence[tuple[str, Sequence[Scored]]]
) -> str:
    """Say which compressors put the models in the same order, where intervals tell them apart."""
    if not others:
        return ""
    title = _TITLES[leading.split(".")[0]]
    same = [key for key, by in others if not _contradicts(first, by)]
    unlike = [_TITLES[key.split(".")[0]] for key, _ in others if key not in same]
    agreeing = [title, *(_TITLES[key.split(".")[0]] for key in same)]
    if not unlike:
        return f"; {listed(agreeing)} agree"
    verb = "orders" if len(unlike) == 1 else "order"
    return f"; {listed(unlike)} {verb} them otherwise"


def _contradicts(first: Sequence[Scored], other: Sequence[Scored]) -> bool:
    """Tell whether two models are apart in both orders, and the other way round."""
    place = {one[0]: one for one in other}
    known = [one for one in first if one[0] in place]
    return any(
        _apart(high, low)
        and _apart(place[high[0]], place[low[0]])
        and place[high[0]][1] < place[low[0]][1]
        for at, high in enumerate(known)
        for low in known[at + 1 :]
    )


def _memorized(comparison: Comparison, names: Sequence[str]) -> Finding | None:
    """Return the models by what they memorized, which can be compared between architectures."""
    found = [
        (name, share.value, share.low, share.high)
        for name, report in zip(names, comparison.reports, strict=True)
        if report.evidence is not None and report.evidence.network is not None
        for share in [report.evidence.network.memorized_share]
    ]
    if len(found) < 2:
        return None
    ordered = sorted(found, key=lambda one: -one[1])
    chain = _chain(ordered, percent)
    course = "falls" if ">" in chain else "is alike within its intervals:"
    return Finding(
        key="memorized_share",
        sentence=f"memorized share {course} {chain}",
        caution="comparable whatever the architectures are",
    )
