"""Whether data can carry a gate: enough different samples of enough classes.

The fewer samples a batch holds, and the fewer classes there are, the easier it is to compress, so
that too few of either would let any network pass.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from onnxmem.data import FEWEST, Samples
from onnxmem.records import Report

MOST_CLASSES = 100
"""Classes of an output up to which a gate asks for all of them, unless `--classes` says."""


def expected_classes(told_apart: int | None) -> int | None:
    """Return how many classes a gate asks for where nobody says, None where that is left open."""
    return None if told_apart is None or told_apart > MOST_CLASSES else told_apart


def doubt_report(report: Report) -> str:
    """Return why the samples that were measured carry no gate, or an empty string.

    Reports that do not say how many samples are different are taken by how many there are.
    """
    data = report.data
    fewest = data.distinct
    if fewest is None:
        sizes = [g.samples for layer in report.layers for c in layer.curves for g in c.groups]
        fewest = min(sizes, default=FEWEST)
    if fewest < FEWEST:
        return _too_few(fewest)
    return _doubt_classes(data.classes, len(data.left_out), report.settings.get("classes"))


def doubt_samples(samples: Samples, expected: int | None) -> str:
    """Return why all training samples carry no gate on what neighbours say, or an empty string.

    Args:
        samples: with their labels.
        expected: how many classes are asked for; None: all that there are.
    """
    assert samples.labels is not None
    contents = np.unique(samples.contents, return_inverse=True)[1]
    classes = np.unique(samples.labels, return_inverse=True)[1]
    different = np.unique(classes * len(contents) + contents)
    counts = np.bincount(different // len(contents))
    return _doubt_classes(int((counts >= FEWEST).sum()), int((counts < FEWEST).sum()), expected)


def _doubt_classes(enough: int, short: int, expected: Any) -> str:
    """Return why so many classes with enough samples, and others that are short, do not do."""
    wanted = expected if isinstance(expected, int) else enough + short
    if enough >= max(wanted, 2):
        return ""
    return (
        f"a gate needs {FEWEST} different samples of each of {max(wanted, 2)} classes, the data "
        f"have them of {enough}; give more samples, or say with --classes how many the thresholds "
        "were set for"
    )


def _too_few(fewest: int) -> str:
    return (
        f"a gate needs {FEWEST} different samples of each class, copies counted once; one class "
        f"has {fewest} among those that were measured"
    )
