"""Facts of networks that never were: votes drawn around the true classes of samples."""

from __future__ import annotations

import numpy as np

from onnxmem.evidence.facts import Facts, LayerFacts, levels


def draw_facts(
    noise: float,
    *,
    classes: int = 10,
    samples: int = 4000,
    clarity: float = 5.0,
    fitted: float = 1.0,
    layers: int = 4,
    seed: int = 0,
) -> tuple[Facts, np.ndarray]:
    """Return facts, and which labels are wrong.

    Args:
        noise: share of labels that a random class replaces.
        classes: how many.
        samples: how many.
        clarity: how much more votes the true class has; 0 for none.
        fitted: share of the wrong labels that the network predicts.
        layers: how many, the input included.
        seed: of all drawing.
    """
    rng = np.random.default_rng(seed)
    truth = rng.integers(classes, size=samples)
    labels = truth.copy()
    replaced = rng.random(samples) < noise
    labels[replaced] = rng.integers(classes, size=int(replaced.sum()))
    wrong = labels != truth
    predictions = np.where(wrong & (rng.random(samples) >= fitted), truth, labels)
    votes = [_votes(rng, truth, classes, clarity) for _ in range(layers)]
    described = tuple(
        LayerFacts(f"layer{number}" if number else "input", one.argmax(axis=1),
                   levels(one, labels, seed))
        for number, one in enumerate(votes)
    )  # fmt: skip
    early = 1 + (layers - 1) // 2
    facts = Facts(
        labels=labels,
        predictions=predictions,
        layers=described,
        all_votes=np.mean(votes, axis=0),
        early_votes=np.mean(votes[:early], axis=0),
        first_votes=np.mean(votes[:2], axis=0),
        input_votes=votes[0],
        held_out=None,
        seed=seed,
    )
    return facts, wrong


def _votes(rng: np.random.Generator, truth: np.ndarray, classes: int, clarity: float) -> np.ndarray:
    drawn = rng.gamma(0.5, size=(len(truth), classes))
    drawn[np.arange(len(truth)), truth] += clarity * rng.random(len(truth))
    return (drawn / drawn.sum(axis=1, keepdims=True)).astype(np.float32)
