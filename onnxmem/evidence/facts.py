"""What every measure is told: labels, predictions, and what neighbours say at every layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """One layer.

    Attributes:
        tensor: its name, or "input".
        favourite: (samples,) the class that most of the neighbours' weight is on.
        level: (samples,) how far down the given label stands among all classes: uniform between 0
            and 1 where labels have nothing to do with neighbours, near 0 where they agree.
        held_out_favourite: the favourite of held-out samples, None without any.
        held_out_majority: the class that most of their few nearest have, each counted alike.
    """

    tensor: str
    favourite: np.ndarray
    level: np.ndarray
    held_out_favourite: np.ndarray | None = None
    held_out_majority: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Samples that the network was not trained on.

    Attributes:
        predictions: (samples,) what the network says, as places of classes; -1 where no training
            sample has that class.
        votes: (samples, classes) mean over all layers of what neighbours among the training samples
            say.
        labels: (samples,) where they are known.
    """

    predictions: np.ndarray
    votes: np.ndarray
    labels: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Training samples, and what neighbours say of them.

    Votes are shares of the weight of a sample's nearest others on each class, (samples, classes).

    Attributes:
        labels: (samples,) the given labels, as places of classes.
        predictions: (samples,) what the network says; -1 where no sample has that label.
        layers: the input first, in the order of the network.
        all_votes: mean over all layers.
        early_votes: mean over the input and the first half of the layers, where a label that was
            learned by heart has not yet moved its sample among those of its class.
        first_votes: mean over the input and the first layer.
        input_votes: of the input alone.
        held_out: other samples, None without any.
        seed: of every random choice.
    """

    labels: np.ndarray
    predictions: np.ndarray
    layers: tuple[LayerFacts, ...]
    all_votes: np.ndarray
    early_votes: np.ndarray
    first_votes: np.ndarray
    input_votes: np.ndarray
    held_out: HeldOut | None
    seed: int

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.all_votes.shape[1])

    @property
    def fitted(self) -> np.ndarray:
        """Whether the network predicts the given label (samples,)."""
        return np.asarray(self.predictions == self.labels)

    @property
    def early(self) -> int:
        """How many layers count as early, the input included."""
        return early_layers(len(self.layers))


def early_layers(count: int) -> int:
    """Return how many of so many layers, the input included, count as early."""
    return 1 + (count - 1) // 2


def own_votes(votes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the share of each sample's own label (samples,)."""
    return np.asarray(np.take_along_axis(votes, labels[:, None], axis=1)[:, 0])


def rival_votes(votes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the largest share of another label than the sample's own (samples,)."""
    others = votes.copy()
    np.put_along_axis(others, labels[:, None], -1.0, axis=1)
    return np.asarray(others.max(axis=1))


def margins(votes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return by how much another label has more votes than the sample's own (samples,)."""
    return np.asarray(rival_votes(votes, labels) - own_votes(votes, labels))


def levels(votes: np.ndarray, labels: np.ndarray, seed: int) -> np.ndarray:
    """Return how far down the own label stands among all classes, ties broken at random (samples,).

    Where labels have nothing to do with votes that is uniform between 0 and 1; it is near 0 where
    the own label has most votes.

    Args:
        votes: (samples, classes).
        labels: (samples,) places of classes.
        seed: of the ties.
    """
    own = own_votes(votes, labels)[:, None]
    above = (votes > own).sum(axis=1)
    tied = (votes == own).sum(axis=1)
    drawn = np.random.default_rng([seed, 0x7135]).random(len(labels))
    return np.asarray((above + drawn * tied) / votes.shape[1])
