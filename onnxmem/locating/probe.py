"""How well a linear probe reads labels off each layer: those that samples came with, or drawn ones.

The probe is a ridge regression on one-hot labels; each sample is predicted from all others, by the
formula for leaving one out. The network has seen all of them, so that where it moved a suspect
among those of its label, the probe reads that label: this tells at which layer. Permuted labels
have nothing to do with samples; what is read of them is what the freedom of the probe alone gives.

Source: Chaibub Neto (2018), Shared Structure Validation Sets; as a score of a whole network it was
found to be weak, so none is made of it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from onnxmem.errors import InconclusiveError
from onnxmem.locating.crowd import Crowd, Feeder
from onnxmem.network.features import INPUT, Place, Pool, collect
from onnxmem.network.opening import Opened
from onnxmem.records import LayerProbe, Probes

PENALTIES = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""Of the ridge, over the mean variance of the features; the one that predicts best is taken."""

Advance = Callable[[int, int], None]


def probe(opened: Opened, crowd: Crowd, pool: Pool, seed: int, advance: Advance) -> Probes:
    """Return what a probe reads off each layer, or why it reads nothing.

    Args:
        opened: the network.
        crowd: suspects and other samples.
        pool: all positions of a layer's features, or their mean.
        seed: of the projection of long features, and of the permuted labels.
        advance: told how many samples are done.
    """
    places = [Place(INPUT)]
    places += [Place(one.tensor, one.feature_axis) for one in opened.sites if one.status == "ok"]
    drawn = np.random.default_rng([seed, 0x9E0B]).permutation(crowd.labels)
    try:
        with collect(
            opened.network,
            opened.samples.inputs,
            Feeder.of(opened).shared,
            crowd.rows,
            places,
            pool=pool,
            padding=opened.padding,
            seed=seed,
            advance=lambda done: advance(done, len(crowd)),
        ) as features:
            layers = [
                _layer(place.tensor, features.layers[place.tensor], crowd, drawn)
                if place.tensor in features.layers
                else LayerProbe(place.tensor, reason=features.refused.get(place.tensor, ""))
                for place in places
            ]
    except InconclusiveError as error:
        return Probes((), reason=str(error))
    return Probes(tuple(layers))


def _layer(tensor: str, features: np.ndarray, crowd: Crowd, drawn: np.ndarray) -> LayerProbe:
    ridge = Ridge(features)
    clean, suspect = crowd.means(ridge.predict(crowd.labels) == crowd.labels)
    return LayerProbe(tensor, clean, suspect, float((ridge.predict(drawn) == drawn).mean()))


class Ridge:
    """A ridge regression on one matrix of features (samples, features), for any labels."""

    def __init__(self, features: np.ndarray) -> None:
        """Centre the features and find their principal axes."""
        x = features.astype(np.float64)
        x -= x.mean(axis=0)
        values, vectors = np.linalg.eigh(x.T @ x)
        kept = values > max(x.shape) * np.finfo(np.float64).eps * max(values[-1], 1e-300)
        self._values = values[kept]
        self._basis = x @ vectors[:, kept] / np.sqrt(self._values)

    def predict(self, labels: np.ndarray) -> np.ndarray:
        """Return what the other samples say each label is (samples,).

        Args:
            labels: (samples,) the labels that are learned.
        """
        classes, places = np.unique(labels, return_inverse=True)
        targets = np.eye(len(classes))[places.ravel()]
        found = [self._left_out(targets, penalty).argmax(axis=1) for penalty in PENALTIES]
        best = max(found, key=lambda one: float((one == places.ravel()).mean()))
        return np.asarray(classes[best])

    def _left_out(self, targets: np.ndarray, penalty: float) -> np.ndarray:
        """Return the scores (samples, classes) of each sample by all others."""
        count = len(targets)
        scale = self._values.mean() if len(self._values) else 1.0
        shrunk = self._values / (self._values + penalty * scale)
        mean = targets.mean(axis=0)
        fitted = (self._basis * shrunk) @ (self._basis.T @ (targets - mean)) + mean
        leverage = (self._basis**2 @ shrunk + 1 / count)[:, None]
        return np.asarray(targets - (targets - fitted) / np.maximum(1 - leverage, 1e-9))
