"""Does a gate flip when the same model is audited again with another seed?

    python benchmarks/gates.py

Audits two of the shipped networks with twenty seeds each. The seed decides which samples are
drawn, the mixed batches, the masks of the ablation and the bootstrap. Every run is then taken as
the one that set a gate, and every other run as the one that meets it: 380 pairs for each score.
Writes `benchmarks/results/gates.md`. Takes minutes.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from machine import footer, write_page

from onnxmem import models
from onnxmem.auditing import Settings, run_audit
from onnxmem.data import load
from onnxmem.records import Report, Score

RESULTS = Path(__file__).parent / "results" / "gates.md"
NETWORKS = ("vowels-mlp-p20", "mnist-cnn-p40")
SEEDS = range(20)
Threshold = Callable[[Score], float]
THRESHOLDS: dict[str, Threshold] = {
    "upper bound": lambda score: score.auc_high or 0.0,
    "score": lambda score: score.auc or 0.0,
    "lower bound": lambda score: score.auc_low or 0.0,
}


def audits(name: str) -> list[Report]:
    """Audit one network with every seed."""
    network = models.network(name)
    arrays = load(network.data_path)
    return [run_audit(network.path, arrays, Settings(seed=seed)) for seed in SEEDS]


def flips(scores: Sequence[Score], threshold: Threshold) -> int:
    """Count the pairs in which a gate at `threshold` of the first run fails on the second."""
    pairs = itertools.permutations(scores, 2)
    return sum((again.auc_high or 0.0) < threshold(first) for first, again in pairs)


def margin(scores: Sequence[Score]) -> float:
    """Return the largest distance between the upper bounds of two runs."""
    bounds = [score.auc_high or 0.0 for score in scores]
    return max(bounds) - min(bounds)


def row(*cells: object) -> str:
    """Return one row of a table."""
    return "| " + " | ".join(map(str, cells)) + " |"


def table(reports: Sequence[Report]) -> Iterator[str]:
    """Yield a row for each score that all runs have."""
    pairs = len(reports) * (len(reports) - 1)
    titles = (f"flips of {pairs}, threshold at the {name}" for name in THRESHOLDS)
    yield row("score", "lowest", "highest", "interval, mean width", "largest margin", *titles)
    yield row(*["---"] * (5 + len(THRESHOLDS)))
    for key in reports[0].summary:
        scores = [report.summary[key] for report in reports]
        values = [score.auc for score in scores if score.auc is not None]
        if len(values) < len(scores):
            yield row(key, "–", "–", "saturated in some runs", *["–"] * (1 + len(THRESHOLDS)))
            continue
        width = sum((s.auc_high or 0.0) - (s.auc_low or 0.0) for s in scores) / len(scores)
        counts = (flips(scores, threshold) for threshold in THRESHOLDS.values())
        yield row(
            f"`{key}`",
            f"{min(values):.4f}",
            f"{max(values):.4f}",
            f"{width:.4f}",
            f"{margin(scores):.4f}",
            *counts,
        )


def page() -> Iterator[str]:
    """Yield the lines of the results, measuring on the way."""
    yield "# Gates under other seeds"
    yield ""
    yield (
        "Made by `python benchmarks/gates.py`: the same network audited with the seeds 0 to "
        f"{max(SEEDS)}. A gate fails where the upper bound of the interval lies below its "
        "threshold. Each run sets a threshold, at the upper bound, the score or the lower bound "
        "of its own interval, and each other run meets it; a flip is a gate that passed in the "
        "first run and fails in the second. `--max-drop 0` against a stored report is the middle "
        "one of the three. *Largest margin* is how far the upper bounds of two runs lie apart at "
        "most: a gate that passed by more flipped nowhere. The interval of ablation rests on "
        "three choices of units alone, so gates on `ablation.*` need a margin of their own."
    )
    for name in NETWORKS:
        reports = audits(name)
        yield from ("", f"## {name}", "")
        yield from table(reports)
    yield from ("", footer(reports[0]))


if __name__ == "__main__":
    write_page(page(), RESULTS)
