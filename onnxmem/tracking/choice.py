"""Which checkpoint to keep: the one that agrees most with the neighbours of held-out inputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from onnxmem.records import Choice, Estimate
from onnxmem.tracking.standing import HeldOutStanding, Standing

_DRAWS = 1000
_BLOCK = 50
"""Resamples that are drawn at once."""


def resampled(values: np.ndarray, seed: int) -> np.ndarray:
    """Return the means of `values` (checkpoints, inputs) over resamples (draws, checkpoints).

    All checkpoints are resampled alike, so that what inputs have in common cancels in differences.
    """
    inputs = values.shape[1]
    rng = np.random.default_rng([seed, 0x7AC])
    shares = np.full(inputs, 1 / inputs)
    parts = [rng.multinomial(inputs, shares, _BLOCK) @ values.T for _ in range(_DRAWS // _BLOCK)]
    return np.asarray(np.concatenate(parts) / inputs)


def estimate(value: float, drawn: np.ndarray) -> Estimate:
    """Return a value with the 95 % percentile interval of its resamples (draws,)."""
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Estimate(value, min(float(low), value), max(float(high), value))


def choose(course: Sequence[Standing], seed: int) -> tuple[Choice | None, list[Estimate]]:
    """Return which checkpoint to keep, and the mean agreement of each with its interval.

    Neither is there without held-out inputs.

    Args:
        course: the checkpoints in the order of training.
        seed: of the resamples.
    """
    held = [one.held_out for one in course if one.held_out is not None]
    if len(held) < len(course):
        return None, []
    agrees = np.stack([one.agrees for one in held])
    means, drawn = agrees.mean(axis=1), resampled(agrees, seed)
    estimates = [estimate(float(mean), drawn[:, k]) for k, mean in enumerate(means)]
    order = np.argsort(-means, kind="stable").tolist()
    best = order[0]
    choice = Choice(
        path=course[best].path,
        agreement=estimates[best],
        repeated=float((drawn.argmax(axis=1) == best).mean()),
    )
    if len(order) == 1:
        return choice, estimates
    second = order[1]
    lead = estimate(float(means[best] - means[second]), drawn[:, best] - drawn[:, second])
    return _with_costs(choice, course, held, (best, second), lead, seed), estimates


def _with_costs(
    choice: Choice,
    course: Sequence[Standing],
    held: Sequence[HeldOutStanding],
    places: tuple[int, int],
    lead: Estimate,
    seed: int,
) -> Choice:
    """Return the choice beside the runner-up, with what labels of held-out samples tell of it."""
    best, second = places
    right = [one.right for one in held if one.right is not None]
    cost = regret = last_regret = None
    if len(right) == len(course):
        accuracy = np.stack(right).mean(axis=1)
        pair = resampled(np.stack([right[best], right[second]]).astype(float), seed)
        cost = estimate(float(accuracy[best] - accuracy[second]), pair[:, 0] - pair[:, 1])
        regret = float(accuracy.max() - accuracy[best])
        last_regret = float(accuracy.max() - accuracy[-1])
    return Choice(
        path=choice.path,
        agreement=choice.agreement,
        repeated=choice.repeated,
        runner_up=course[second].path,
        lead=lead,
        runner_up_cost=cost,
        regret=regret,
        last_regret=last_regret,
    )
