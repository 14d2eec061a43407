"""Do the numbers follow what is known of networks that differ in more than their labels?

    python benchmarks/known_answers.py

Trainings against noise by what they fitted of it, networks without a ReLU, two starts on the same
labels, and one course of training, all of which ship. Writes `benchmarks/results/known_answers.md`.
Takes minutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from machine import describe, write_page
from sklearn.metrics import average_precision_score, cohen_kappa_score, roc_auc_score

import onnxmem
from onnxmem import models
from onnxmem.records import SamplesReport
from onnxmem.runtime import load_onnxruntime

RESULTS = Path(__file__).parent / "results" / "known_answers.md"


@dataclass(frozen=True)
class Rows:
    """The samples of one split: what a network takes, given and true labels."""

    x: np.ndarray
    given: np.ndarray
    true: np.ndarray

    @classmethod
    def of(cls, network: models.Network, split: str) -> Rows:
        with np.load(network.data_path) as data:
            chosen = data["split"] == split
            return cls(data["x"][chosen], data["y"][chosen], data["y_true"][chosen])

    @property
    def wrong(self) -> np.ndarray:
        return np.asarray(self.given != self.true)


def logits(network: models.Network, x: np.ndarray) -> np.ndarray:
    session = load_onnxruntime().InferenceSession(
        str(network.path), providers=["CPUExecutionProvider"]
    )
    return np.asarray(session.run(["logits"], {"x": x})[0])


def samples(network: models.Network) -> SamplesReport:
    return onnxmem.samples(network.path, network.data_path, kind=["auto"])


def memorized(report: SamplesReport) -> str:
    """Return the memorized share with its interval."""
    assert report.network is not None
    share = report.network.memorized_share
    return f"{share.value:.3f} ({share.low:.3f}–{share.high:.3f})"


def quality(report: SamplesReport, wrong: np.ndarray) -> str:
    """Return AUROC and average precision for wrong labels among the fitted samples."""
    fitted = np.array([one.fitted for one in report.samples])
    scores = np.array([one.score for one in report.samples])[fitted]
    if not wrong[fitted].any():
        return ""
    found = (measure(wrong[fitted], scores) for measure in (roc_auc_score, average_precision_score))
    return "{:.3f} ({:.3f})".format(*found)


def row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def trained(networks: tuple[models.Network, ...]) -> Iterator[str]:
    """Yield what each training fitted of the noise, and what the neighbours say of it."""
    yield row(
        "network",
        "epochs",
        "right labels fitted",
        "wrong labels fitted",
        "held-out accuracy",
        "memorized share",
        "fitted wrong labels, of all samples",
        "AUROC (average precision)",
    )
    yield row("---", *["---:"] * 7)
    for network in networks:
        data = Rows.of(network, "train")
        fitted = logits(network, data.x).argmax(axis=1) == data.given
        report = samples(network)
        yield row(
            f"`{network.name}`",
            network.epochs,
            f"{fitted[~data.wrong].mean():.3f}",
            f"{fitted[data.wrong].mean():.3f}",
            f"{network.heldout_accuracy:.3f}",
            memorized(report),
            f"{np.mean(fitted & data.wrong):.3f}",
            quality(report, data.wrong),
        )


def without_relu() -> Iterator[str]:
    """Yield the scores of the networks with GELU over p."""
    titles = ("`nmf.mixed`", "`pca.mixed`", "AUROC (average precision)", "memorized share")
    yield row("network", *titles, "train - held-out accuracy")
    yield row("---", *["---:"] * 5)
    for network in models.family("mnist-cnn-gelu"):
        data = Rows.of(network, "train")
        summary = onnxmem.audit(network.path, data.x, data.given, batch=["mixed"]).summary
        report = samples(network)
        yield row(
            f"`{network.name}`",
            *(f"{summary[key].auc:.3f}" for key in ("nmf.mixed", "pca.mixed")),
            quality(report, data.wrong),
            memorized(report),
            f"{network.train_accuracy - network.heldout_accuracy:.3f}",
        )


def alignment(a: np.ndarray, b: np.ndarray) -> float:
    """Return the linear CKA (Kornblith et al. 2019) of two arrays (samples, features)."""
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    return float(np.sum((a.T @ b) ** 2) / np.linalg.norm(a.T @ a) / np.linalg.norm(b.T @ b))


def two_starts() -> Iterator[str]:
    """Yield how alike two networks are that learned the same labels from other weights."""
    yield row("network", "and", "CKA of logits", "κ of predictions")
    yield row("---", "---", "---:", "---:")
    for second in models.family("vowels-mlp-init1"):
        first = models.network(second.name.replace("-init1", ""))
        x = Rows.of(first, "heldout").x
        said = [logits(network, x) for network in (first, second)]
        kappa = cohen_kappa_score(*(one.argmax(axis=1) for one in said))
        names = (f"`{network.name}`" for network in (first, second))
        yield row(*names, f"{alignment(*said):.2f}", f"{kappa:.2f}")


def page() -> Iterator[str]:
    """Yield the lines of the results, measuring on the way."""
    yield "# Networks with a known answer"
    yield ""
    yield "Made by `python benchmarks/known_answers.py`, on networks that ship, with the default"
    yield "settings. AUROC and average precision are those of the sample score for wrong labels"
    yield "among the samples that a network fits."
    yield from ("", "## Trainings against noise", "")
    yield from trained(models.family("mnist-mlp"))
    yield from ("", "## A course of training", "")
    yield from trained(models.family("mnist-course"))
    yield from ("", "## Without a ReLU", "")
    yield from without_relu()
    yield from ("", "## Two starts, on held-out samples", "")
    yield from two_starts()
    yield from ("", "Small networks, artificial noise, one seed each.", "", str(describe()))


if __name__ == "__main__":
    write_page(page(), RESULTS)
