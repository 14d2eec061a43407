"""Do the scores follow the known label noise of the networks that ship?

    python benchmarks/evidence.py

Audits every network of the families that ship with six shares of noise, with the default settings,
and writes the mean AuC of each family over p, with Spearman's correlation, to
`benchmarks/results/evidence.md`. Takes minutes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from machine import footer, write_page
from scipy.stats import spearmanr

from onnxmem import models
from onnxmem.auditing import Settings, run_audit
from onnxmem.data import load
from onnxmem.records import Report

RESULTS = Path(__file__).parent / "results" / "evidence.md"
FAMILIES = ("mnist-cnn", "mnist1d-mlp", "vowels-mlp")
KEYS = [f"{name}.{kind}" for kind in ("class", "mixed") for name in ("nmf", "pca", "ablation")]
SETTINGS = Settings()


def finished(family: str) -> list[models.Network]:
    """Return the networks of a family by rising p, without early checkpoints."""
    return [n for n in models.family(family) if not n.name.endswith("-early")]


def audit(network: models.Network) -> Report:
    """Audit one network with the data that belong to it."""
    return run_audit(network.path, load(network.data_path), SETTINGS)


def cell(report: Report, key: str) -> str:
    """Return a score, and how many layers it is the mean of."""
    score = report.summary[key]
    layers = score.layers_scored + score.layers_saturated
    mean = "–" if score.auc is None else f"{score.auc:.3f}"
    return f"{mean} ({score.layers_scored}/{layers})"


def mean_of_all(report: Report, key: str) -> float:
    """Return the mean AuC over all layers, saturated ones included."""
    return float(np.mean([c.auc for one in report.layers for c in one.curves if c.key == key]))


def correlation(ps: list[float], scores: list[float | None]) -> str:
    """Return Spearman's correlation with p over the networks that have a score."""
    pairs = [(p, score) for p, score in zip(ps, scores, strict=True) if score is not None]
    if len(pairs) < 3 or len({score for _, score in pairs}) == 1:
        return f"– (n = {len(pairs)})"
    return f"{spearmanr(*zip(*pairs, strict=True)).statistic:+.2f} (n = {len(pairs)})"


def row(*cells: object) -> str:
    """Return one row of a table."""
    return "| " + " | ".join(map(str, cells)) + " |"


def table(networks: list[models.Network], reports: Mapping[str, Report]) -> Iterator[str]:
    """Yield the table of one family."""
    ps = [network.p for network in networks]
    of_family = [reports[network.name] for network in networks]
    yield row("p", "held-out accuracy", *KEYS)
    yield row("---", *["---:"] * (len(KEYS) + 1))
    for network, report in zip(networks, of_family, strict=True):
        cells = [cell(report, key) for key in KEYS]
        yield row(f"{network.p:g}", f"{network.heldout_accuracy:.3f}", *cells)
    scores = [correlation(ps, [report.summary[key].auc for report in of_family]) for key in KEYS]
    yield row("ρ", "", *scores)
    whole = [correlation(ps, [mean_of_all(report, key) for report in of_family]) for key in KEYS]
    yield row("ρ of all layers", "", *whole)


def page() -> Iterator[str]:
    """Yield the lines of the results, measuring on the way."""
    yield "# Scores of the shipped networks"
    yield ""
    yield (
        "Made by `python benchmarks/evidence.py`. Mean AuC over the layers that are not saturated, "
        "in brackets how many of all layers these are; – where every layer is saturated. "
        "ρ is Spearman's correlation with p; *of all layers* it takes the mean over saturated "
        "layers as well."
    )
    for family in FAMILIES:
        networks = finished(family)
        reports = {network.name: audit(network) for network in networks}
        yield from ("", f"## {family}", "")
        yield from table(networks, reports)
    yield from ("", footer(next(iter(reports.values()))))


if __name__ == "__main__":
    write_page(page(), RESULTS)
