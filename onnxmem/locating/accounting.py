"""How the gradients of suspects stand to those of other samples, segment by segment.

Of the weights in each segment: the norm of the mean gradient of either group, and the cosine
between the two. Early in training the gradients of wrong labels are the larger ones and opposed to
the others; once a network fits all its samples both are near zero and tell nothing. So this needs
an early checkpoint.

Source: Maini et al. (2023), section 4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from onnxmem.arrays import Array, to_host
from onnxmem.errors import NoGradientError, UsageError
from onnxmem.gradients import Gradients, Weight, cross_entropy, find_weights, logits, why_not
from onnxmem.locating.crowd import Crowd, Feeder, Pieces
from onnxmem.locating.segments import segment_numbers
from onnxmem.network.features import INPUT
from onnxmem.network.network import Network
from onnxmem.network.opening import Opened
from onnxmem.records import GradientAccount, LayerGradient

_MOST = 64
"""Samples that run together."""

_COPIES = 4
"""How often what a run exposes is held: as tensors, as gradients, and what rules make of them."""

Advance = Callable[[int, int], None]


def account(
    opened: Opened,
    crowd: Crowd,
    advance: Advance,
    *,
    model: str = "network",
    called: Mapping[str, str] | None = None,
) -> GradientAccount:
    """Return the gradients of suspects beside those of the others.

    Args:
        opened: the network.
        crowd: suspects and other samples.
        advance: told about progress.
        model: what the network is called: "network" or "checkpoint".
        called: other names that its sites and its output go by.
    """
    try:
        return _Account(opened, crowd, advance, called or {}).record(model)
    except (NoGradientError, UsageError) as error:
        return GradientAccount(model, (), reason=str(error))


@dataclass(frozen=True, slots=True)
class _Sums:
    """Of one weight or of several: squared norms of both mean gradients, and their product."""

    clean: float = 0.0
    suspect: float = 0.0
    product: float = 0.0

    def __add__(self, other: _Sums) -> _Sums:
        return _Sums(
            self.clean + other.clean,
            self.suspect + other.suspect,
            self.product + other.product,
        )

    @classmethod
    def of(cls, clean: np.ndarray, suspect: np.ndarray) -> _Sums:
        """Return those of two mean gradients."""
        return cls(
            float((clean * clean).sum()),
            float((suspect * suspect).sum()),
            float((clean * suspect).sum()),
        )


class _Account:
    def __init__(
        self, opened: Opened, crowd: Crowd, advance: Advance, called: Mapping[str, str]
    ) -> None:
        self.crowd, self.advance, self.called = crowd, advance, called
        self.feed, self.network = Feeder.of(opened), opened.network
        self.output, self.form = differentiated(self.network)
        self.sites = [
            site.tensor
            for site in opened.sites
            if site.status == "ok" and self.network.output in site.reaches
        ]
        self.weights, self.refused = _reached(self.network, self.output)
        self.place = segment_numbers(self.network.model, (*self.sites, self.network.output))

    def record(self, model: str) -> GradientAccount:
        """Return what was found, a layer for each segment."""
        sums, losses = self._over_all()
        ends = list(dict.fromkeys((*self.sites, self.network.output)))
        groups: dict[int, list[str]] = {}
        for name, weight in self.weights.items():
            groups.setdefault(self._segment(weight), []).append(name)
        layers = []
        told = [INPUT, *(self.called.get(end, end) for end in ends)]
        for number, (start, end) in enumerate(pairwise(told)):
            layers.append(self._layer(start, end, groups.get(number, []), sums))
        clean, suspect = self.crowd.means(losses)
        return GradientAccount(model, tuple(layers), clean, suspect, notes=self._notes())

    def _notes(self) -> tuple[str, ...]:
        if not self.refused:
            return ()
        count, why = len(self.refused), next(iter(self.refused.values()))
        return (f"{count} weights are left out: {why}",)

    def _segment(self, weight: Weight) -> int:
        return min(self.place.get(step.outputs[0], 0) for step in weight.uses)

    def _layer(
        self, start: str, end: str, names: Sequence[str], sums: Mapping[str, _Sums]
    ) -> LayerGradient:
        if not names:
            return LayerGradient(start, end, (), reason="no weight of it has a gradient")
        total = sum((sums[name] for name in names), _Sums())
        clean, suspect = total.clean**0.5, total.suspect**0.5
        known = clean > 0 and suspect > 0
        return LayerGradient(
            from_=start,
            to=end,
            weights=tuple(names),
            clean_norm=clean,
            suspect_norm=suspect,
            ratio=suspect / clean if clean > 0 else None,
            cosine=float(np.clip(total.product / (clean * suspect), -1, 1)) if known else None,
        )

    def _over_all(self) -> tuple[dict[str, _Sums], np.ndarray]:
        """Return the sums of each weight, and the loss of each sample (n,)."""
        gradients = Gradients(
            self.network.model,
            self.network.device,
            [self.output],
            weights=list(self.weights),
            exact=self.network.exact,
        )
        xp, rows = self.network.device.namespace, self.crowd.rows
        pieces = Pieces(rows, piece_size(gradients, self.feed, self.network, rows))
        labels = Pieces(self.crowd.labels, pieces.size)
        means, losses = self._coefficients(), np.empty(len(rows))
        total: dict[str, np.ndarray] = {}
        for number in range(len(pieces)):
            self.advance(number, len(pieces))
            forward = gradients.run(self.feed(pieces.rows_of(number)))
            truth = xp.asarray(labels.rows_of(number))
            loss = cross_entropy(forward.outputs[0], truth, self.form)
            backward = forward.backward(loss.gradient)
            place, skipped = pieces.place(number)
            fresh = slice(skipped, skipped + place.stop - place.start)
            losses[place] = to_host(loss.values)[fresh]
            coefficients = np.zeros((2, pieces.size))
            coefficients[:, fresh] = means[:, place]
            for name in self.weights:
                sums = to_host(backward.weight(name).sums(coefficients))
                total[name] = total[name] + sums if name in total else sums
        return {name: _Sums.of(*pair) for name, pair in total.items()}, losses

    def _coefficients(self) -> np.ndarray:
        """Return what gives the mean over the others, and over the suspects (2, n)."""
        groups = np.stack([~self.crowd.suspect, self.crowd.suspect]).astype(float)
        return np.asarray(groups / np.maximum(groups.sum(axis=1, keepdims=True), 1))


def differentiated(network: Network) -> tuple[str, str]:
    """Return the tensor whose gradients are taken, and what it holds.

    Of a softmax that is what goes into it.

    Raises:
        UsageError: the output holds no scores.
    """
    output = logits(network.model, network.output)
    form = network.form if output == network.output else "linear"
    if form == "labels":
        raise UsageError(
            f"the output {network.output!r} holds labels, which have no gradient; choose one with "
            "scores by --output-name"
        )
    return output, "linear" if form == "other" else form


def _reached(network: Network, output: str) -> tuple[dict[str, Weight], dict[str, str]]:
    """Return the weights that have a gradient, and why others have none.

    Raises:
        NoGradientError: none has one; the message names the operator in the way.
    """
    weights = {weight.name: weight for weight in find_weights(network.model)}
    if not weights:
        raise UsageError("it has no weights of Conv, Gemm or MatMul")
    if not why_not(network.model, [output], weights=list(weights)):
        return weights, {}
    reasons = {name: why_not(network.model, [output], weights=[name]) for name in weights}
    served = {name: weight for name, weight in weights.items() if not reasons[name]}
    refused = {name: reason for name, reason in reasons.items() if reason}
    if not served:
        raise NoGradientError(list(refused.values())[-1])
    return served, refused


def piece_size(
    gradients: Gradients,
    feed: Callable[[np.ndarray], Mapping[str, Array]],
    network: Network,
    rows: np.ndarray,
) -> int:
    """Return how many samples are run and walked back together, by what a few of them take."""
    if network.batch is not None:
        return network.batch
    few = rows[: min(2, len(rows))]
    each = max(1, gradients.run(feed(few)).nbytes // len(few))
    possible = max(1, network.memory // (_COPIES * each))
    return min(len(rows), _MOST, 1 << (possible.bit_length() - 1))
