"""Which samples have wrong labels? Ours beside the loss, the input alone, and cleanlab.

    python benchmarks/samples.py [--folds 5] [--only GLOB]

For the networks of three shipped families with known noise: AUROC and average precision with which
a score finds the labels that were replaced, among the samples that the network fits. The scores are
that of `onnxmem samples`, the network's loss, the input's neighbours alone, cleanlab on the
network's own probabilities, and cleanlab on probabilities of networks that are trained anew on
folds, which needs the training code (`pip install "onnxmem[cpu,peers,train]"`; without torch that
column is empty). Beside it what is said of the whole network, and what is true. Writes
`benchmarks/results/samples.md`.
"""

from __future__ import annotations

import argparse
import fnmatch
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxmem.models as models
from machine import describe, write_page
from sklearn.metrics import average_precision_score, roc_auc_score

import onnxmem
from onnxmem.evidence.votes import NEIGHBOURS, Labels, count_votes
from onnxmem.neighbours import Directions, Projection, nearest
from onnxmem.records import NetworkEvidence
from onnxmem.runtime import load_onnxruntime

RESULTS = Path(__file__).parent / "results" / "samples.md"

FAMILIES = ("mnist-cnn", "mnist1d-mlp", "vowels-mlp")

RETRAINED = (0.2, 0.4)
"""The shares of noise of which networks are trained anew."""

SCORES = (
    "this score",
    "loss",
    "input alone",
    "cleanlab, own probabilities",
    "cleanlab, retrained folds",
)


@dataclass(frozen=True)
class Data:
    """The training samples of a network; `wrong` tells whose label was replaced by another."""

    x: np.ndarray
    y: np.ndarray
    wrong: np.ndarray

    @classmethod
    def of(cls, network: models.Network) -> Data:
        with np.load(network.data_path) as arrays:
            train = arrays["split"] == "train"
            wrong = arrays["y"] != arrays["y_true"]
            return cls(arrays["x"][train], arrays["y"][train], wrong[train])


def probabilities(network: models.Network, x: np.ndarray) -> np.ndarray:
    """Return what the network gives each class (samples, classes)."""
    session = load_onnxruntime().InferenceSession(
        str(network.path), providers=["CPUExecutionProvider"]
    )
    return softmax(session.run(["logits"], {"x": x})[0])


def softmax(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def retrained(network: models.Network, data: Data, folds: int) -> np.ndarray | None:
    """Return probabilities of each sample by a network that never saw it; None without torch."""
    try:
        torch = importlib.import_module("torch")
        families = importlib.import_module("onnxmem.models.recipes.families")
        training = importlib.import_module("onnxmem.models.recipes.training")
    except ImportError:
        return None
    (family,) = (one for one in families.FAMILIES if one.name == network.family)
    found = np.zeros((len(data.y), int(data.y.max()) + 1))
    parts = np.array_split(np.random.default_rng(0).permutation(len(data.y)), folds)
    for number, held in enumerate(parts):
        rest = np.setdiff1d(np.arange(len(data.y)), held)
        training.be_deterministic(number)
        for epoch in training.epochs(family.network(), data.x[rest], data.y[rest], family.schedule):
            last = epoch
        with torch.no_grad():
            logits = last.network.eval()(torch.from_numpy(data.x[held])).numpy()
        found[held] = softmax(logits)
    return found


def cleanlab_score(y: np.ndarray, chances: np.ndarray | None) -> np.ndarray | None:
    """Return how likely cleanlab takes each label for wrong (samples,)."""
    if chances is None:
        return None
    rank = importlib.import_module("cleanlab.rank")
    clipped = np.clip(chances, 1e-7, None)
    quality = rank.get_label_quality_scores(y, clipped / clipped.sum(axis=1, keepdims=True))
    return np.asarray(1 - quality)


def issues(y: np.ndarray, chances: np.ndarray) -> int:
    """Return how many labels cleanlab finds wrong."""
    found = importlib.import_module("cleanlab.filter").find_label_issues(y, chances)
    return int(np.sum(found))


def input_score(data: Data) -> np.ndarray:
    """Return 1 minus the share of the neighbours of each input that have its label (samples,)."""
    features = Projection(0, 2**30)(data.x.reshape(len(data.x), -1))
    directions, own = Directions.of(features)(features), np.arange(len(features))
    found = nearest(directions, directions, NEIGHBOURS, own)
    votes = count_votes(found, Labels.of(own, data.y, int(data.y.max()) + 1))
    return np.asarray(1 - votes[own, data.y])


def quality(
    score: np.ndarray | None, wrong: np.ndarray, fitted: np.ndarray
) -> tuple[float, float] | None:
    """Return AUROC and average precision among the samples that are fitted."""
    if score is None or not wrong[fitted].any() or wrong[fitted].all():
        return None
    chosen = wrong[fitted], score[fitted]
    return float(roc_auc_score(*chosen)), float(average_precision_score(*chosen))


def share(what: np.ndarray, among: np.ndarray) -> float:
    """Return the share of `what` among some samples, 0 where there are none."""
    return float(what[among].mean()) if among.any() else 0.0


@dataclass(frozen=True)
class Outcome:
    """One network: AUROC and average precision of each score, and what is said and true."""

    name: str
    scores: dict[str, tuple[float, float] | None]
    precision: float
    recall: float
    strong_precision: float
    strong_recall: float
    evidence: NetworkEvidence
    gap: float
    noise: float
    issues: int


def measure(network: models.Network, folds: int) -> Outcome:
    data = Data.of(network)
    found = onnxmem.samples(network.path, network.data_path)
    assert found.network is not None
    fitted = np.array([one.fitted for one in found.samples])
    chances = probabilities(network, data.x)
    loss = -np.log(np.clip(chances[np.arange(len(data.y)), data.y], 1e-30, None))
    given = {
        "this score": np.array([one.score for one in found.samples]),
        "loss": loss,
        "input alone": input_score(data),
        "cleanlab, own probabilities": cleanlab_score(data.y, chances),
        "cleanlab, retrained folds": (
            cleanlab_score(data.y, retrained(network, data, folds))
            if network.p in RETRAINED and network.train_accuracy > 0.99
            else None
        ),
    }
    flags = np.array([one.memorized for one in found.samples])
    strong = np.array([one.strong for one in found.samples])
    return Outcome(
        name=network.name,
        scores={name: quality(score, data.wrong, fitted) for name, score in given.items()},
        precision=share(data.wrong, flags),
        recall=share(flags, data.wrong),
        strong_precision=share(data.wrong, strong),
        strong_recall=share(strong, data.wrong),
        evidence=found.network,
        gap=network.train_accuracy - network.heldout_accuracy,
        noise=float(data.wrong.mean()),
        issues=issues(data.y, chances),
    )


def page(outcomes: list[Outcome], folds: int) -> Iterator[str]:
    noisy = [one for one in outcomes if one.noise]
    yield "# Which samples have wrong labels?"
    yield ""
    yield "Made by `python benchmarks/samples.py`, on whole training sets of the shipped networks."
    yield "A share of the labels was replaced by random ones. AUROC, in brackets average"
    yield "precision, with which each score finds them among the samples that the network fits:"
    yield ""
    yield f"| network | wrong labels | {' | '.join(SCORES)} |"
    yield "| --- | ---: |" + " ---: |" * len(SCORES)
    for one in noisy:
        cells = " | ".join(cell(one.scores[name]) for name in SCORES)
        yield f"| `{one.name}` | {one.noise:.3f} | {cells} |"
    yield ""
    yield f"cleanlab's second column needs the training code and {folds} trainings; all others need"
    yield "the ONNX file alone. With the network's own probabilities cleanlab finds"
    yield ", ".join(f"{one.issues} issues on `{one.name}`" for one in noisy) + "."
    yield ""
    yield "## Flags"
    yield ""
    yield "| network | memorized: precision | recall | strong: precision | recall |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for one in noisy:
        yield (
            f"| `{one.name}` | {one.precision:.2f} | {one.recall:.2f} | "
            f"{one.strong_precision:.2f} | {one.strong_recall:.2f} |"
        )
    yield ""
    yield "Precision is the share of wrong labels among what is flagged. The others are memorized"
    yield "as well: hard samples whose label is right."
    yield ""
    yield "## Two numbers of the network"
    yield ""
    titles = ("network", "memorized share", "train - held-out accuracy", "label noise")
    titles += ("estimate, range", "true", "suspects fitted")
    yield f"| {' | '.join(titles)} |"
    yield "| --- | ---: | ---: | --- | --- | ---: | ---: |"
    for one in outcomes:
        found, noise = one.evidence, one.evidence.label_noise
        estimate = (
            ""
            if noise.estimate is None
            else f"{noise.estimate:.3f}, {noise.low:.3f} to {noise.high:.3f}"
        )
        state = {True: "found", False: "not found", None: f"undecided: {noise.reason}"}[noise.found]
        fitted = "" if noise.suspects_fitted is None else f"{noise.suspects_fitted:.2f}"
        yield (
            f"| `{one.name}` | {found.memorized_share.value:.3f} | {one.gap:.3f} | {state} | "
            f"{estimate} | {one.noise:.3f} | {fitted} |"
        )
    apart = [abs(one.evidence.memorized_share.value - one.gap) for one in outcomes]
    yield ""
    yield f"The memorized share is {np.mean(apart):.3f} from the gap on average."
    yield ""
    yield "## What must not be read into it"
    yield ""
    yield "- A memorized sample is not a mislabelled one: many of those have right labels."
    yield "- The networks are small, the noise is artificial and uniform, one seed each."
    yield "- Where nearly all labels are random the scores fall to chance."
    yield "- It says nothing on privacy."
    yield ""
    yield str(describe())


def cell(found: tuple[float, float] | None) -> str:
    return "" if found is None else f"{found[0]:.3f} ({found[1]:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--only", default="*", help="names of networks")
    options = parser.parse_args()
    networks = [one for family in FAMILIES for one in models.family(family)]
    chosen = [one for one in networks if fnmatch.fnmatch(one.name, options.only)]
    outcomes = []
    for network in chosen:
        outcomes.append(measure(network, options.folds))
        print(outcomes[-1].name, flush=True)
    write_page(page(outcomes, options.folds), RESULTS)


if __name__ == "__main__":
    main()
