"""What labels mean to a network: the class that each stands for, and whether they fit it at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onnxmem.data import Samples
from onnxmem.errors import DataError
from onnxmem.network.guessing import chance_accuracy, most_by_chance
from onnxmem.network.network import Network
from onnxmem.text import listed

_RENAMED = 0.5
"""From this accuracy on it is said that the classes seem to be in another order."""

_CLEARLY = 0.1
"""By so much another order must be better than labels that are one lower or higher, which is the
simpler mistake."""


@dataclass(frozen=True, slots=True)
class Labelling:
    """The labels of an audit, as the network counts classes.

    Attributes:
        truth: (samples,) the class of each.
        note: what was assumed, empty where nothing was.
        suspicion: which other labels the network agrees with better, empty where with none.
    """

    truth: np.ndarray
    note: str = ""
    suspicion: str = ""


def read_labels(
    network: Network, samples: Samples, labels: np.ndarray, predicted: np.ndarray, width: int
) -> Labelling:
    """Return what the labels of the chosen samples mean; without labels, the predictions are true.

    A network that gives scores counts classes from 0 in the order of its outputs: names are
    numbered in sorted order, and -1 and 1 are its two classes, as in scikit-learn. One that gives
    labels has labels of its own, to which these are compared as they are.

    Args:
        network: the model.
        samples: all samples.
        labels: (n,) the labels of the chosen samples.
        predicted: (n,) the classes that the network predicts for them.
        width: how many values its output has for a sample.

    Raises:
        DataError: there are labels that are no class of the network.
    """
    parting = _parting(network, width)
    if samples.labels is None:
        return Labelling(predicted, _joined(_UNLABELLED, parting))
    if network.form == "labels":
        return Labelling(labels, _names_note(samples), suspicion(labels, predicted))
    classes = max(2, width)
    if samples.names and len(samples.names) != classes:
        problem = (
            f"labels 'y' are {len(samples.names)} different names, output {network.output!r} has "
            f"{classes} classes; say which class each name is with --class-names FILE"
        )
        raise DataError(_joined(problem, parting))
    if classes == 2 and np.array_equal(np.unique(samples.labels), [-1, 1]):
        truth = (labels > 0).astype(np.int64)
        note = "labels -1 and 1 are taken as the classes 0 and 1"
        return Labelling(truth, _joined(note, parting), suspicion(truth, predicted))
    hints = (_shift(labels, predicted)[1], parting, *samples.notes)
    _check_range(network, samples.labels, classes, _joined(*hints))
    note = _joined(_names_note(samples), parting)
    return Labelling(labels, note, suspicion(labels, predicted))


_UNLABELLED = (
    "no labels 'y' were given, so the network's own predictions group the samples, and what is "
    "measured is fidelity to them"
)


def _parting(network: Network, width: int) -> str:
    """Return what is assumed of an output of one value that is no probability, in words."""
    if width != 1 or network.form in ("labels", "sigmoid"):
        return ""
    return (
        f"output {network.output!r} has one value for each sample, taken as two classes, below "
        "and above 0; where it is a regression, an audit says nothing"
    )


def _joined(*texts: str) -> str:
    return "; ".join(filter(None, texts))


def _names_note(samples: Samples) -> str:
    if not samples.names:
        return ""
    shown = listed([f"{name} = {number}" for number, name in enumerate(samples.names)])
    return f"labels are names, numbered in sorted order ({shown})"


def _check_range(network: Network, labels: np.ndarray, classes: int, hint: str) -> None:
    lowest, highest = int(labels.min()), int(labels.max())
    hint = f"; {hint}" if hint else ""
    if lowest < 0:
        raise DataError(f"labels 'y' must not be negative, there is {lowest}{hint}")
    if highest >= classes:
        raise DataError(
            f"label {highest} is out of range: output {network.output!r} has {classes} classes, "
            f"counted from 0{hint}"
        )


def suspicion(truth: np.ndarray, predicted: np.ndarray) -> str:
    """Return which labels the network seems to have been trained on, if other ones, in words."""
    shift, renaming = _shift(truth, predicted), _renaming(truth, predicted)
    return (renaming if renaming[0] > shift[0] + _CLEARLY else shift)[1]


def _shift(truth: np.ndarray, predicted: np.ndarray) -> tuple[float, str]:
    """Return the accuracy on labels that are one lower or higher, and those labels in words.

    Where that is no better than these labels or guessing, 0 and no words.
    """
    for step, how in ((-1, "lower: save y - 1"), (1, "higher: save y + 1")):
        accuracy = float((truth + step == predicted).mean())
        if accuracy > _surely(truth) and accuracy > float((truth == predicted).mean()):
            return accuracy, f"accuracy is {accuracy:.3f} for labels that are one {how}"
    return 0.0, ""


def _surely(truth: np.ndarray) -> float:
    """Return an accuracy that guessing does not reach: chance and four standard errors."""
    return most_by_chance(chance_accuracy(truth), len(truth), 4)


def _renaming(truth: np.ndarray, predicted: np.ndarray) -> tuple[float, str]:
    """Return the accuracy with classes in another order, and that order in words.

    Each label gets the prediction that goes with it most often and is not taken yet. Where the
    accuracy is still low, or the order the same, 0 and no words.
    """
    names, rows = np.unique(truth, return_inverse=True)
    guesses, columns = np.unique(predicted, return_inverse=True)
    counts = np.zeros((len(names), len(guesses)), np.int64)
    np.add.at(counts, (rows, columns), 1)
    pairs, hits = {}, 0
    for _ in range(min(counts.shape)):
        row, column = np.unravel_index(int(counts.argmax()), counts.shape)
        pairs[int(names[row])] = int(guesses[column])
        hits += int(counts[row, column])
        counts[row, :], counts[:, column] = -1, -1
    accuracy = hits / len(truth)
    moved = [f"{name} as {guess}" for name, guess in sorted(pairs.items()) if name != guess]
    if not moved or accuracy < max(_RENAMED, _surely(truth)):
        return 0.0, ""
    words = f"accuracy is {accuracy:.3f} with the classes in another order (labels {listed(moved)})"
    return accuracy, words
