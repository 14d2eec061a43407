"""What a figure is, and what comes of drawing it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from onnxmem.figures.bench import Bench
from onnxmem.figures.subjects import Subject

Verdict = Literal["holds", "holds in part", "does not hold", "cannot be judged"]


def verdict_of(agree: Sequence[bool]) -> Verdict:
    """Return what becomes of a claim that was tried several times; half is enough for a part."""
    if all(agree):
        return "holds"
    return "holds in part" if 2 * sum(agree) >= len(agree) else "does not hold"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure of certain networks.

    Attributes:
        chart: of Vega-Altair, data included.
        verdict: what becomes of the claim.
        found: the sentence of judgement, with its numbers.
    """

    chart: Any
    verdict: Verdict
    found: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the paper.

    Attributes:
        name: such as `fig2`.
        title: what it is about.
        claim: what the paper says of it.
        made: what is drawn here, and how the claim is judged.
        networks: names of shipped networks, or families of them, that it is drawn of.
        draw: draws it of networks.
    """

    name: str
    title: str
    claim: str
    made: str
    networks: tuple[str, ...]
    draw: Callable[[Bench, Sequence[Subject]], Drawn]
