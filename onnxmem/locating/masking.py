"""A network whose units can be switched off, for each sample of a batch by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from onnxmem import graph
from onnxmem.arrays import Array, to_host
from onnxmem.errors import UsageError
from onnxmem.gradients import Forward, Gradients, margin
from onnxmem.locating.accounting import differentiated, piece_size
from onnxmem.locating.crowd import Feeder, Pieces
from onnxmem.network.opening import Opened


@dataclass(frozen=True, slots=True)
class Place:
    """A site whose units can be switched off.

    Attributes:
        tensor: its name.
        axis: that of its units.
        rank: how many axes it has.
        units: how many units.
    """

    tensor: str
    axis: int
    rank: int
    units: int


class Masked:
    """The network, with a factor at every site."""

    def __init__(self, opened: Opened, rows: np.ndarray) -> None:
        """Find out with a few of the samples `rows` what has units, and how many.

        Raises:
            NoGradientError: a node behind a site has no gradient; the message names it.
            UsageError: there is no site with units, or the output has no scores of classes.
        """
        self.network, self.feed = opened.network, Feeder.of(opened)
        self.places, self.notes = _places(opened, self.feed, rows)
        model, self.factors = graph.masked(
            self.network.model, {place.tensor: place.rank for place in self.places}
        )
        output, _ = differentiated(self.network)
        self.gradients = Gradients(
            model,
            self.network.device,
            [output],
            wrt=[self.factors[place.tensor] for place in self.places],
            exact=self.network.exact,
        )
        self.units = sum(place.units for place in self.places)
        self.size = piece_size(self.gradients, self._fed, self.network, rows)

    def _fed(self, rows: np.ndarray) -> dict[str, Array]:
        return self.feeds(rows, self.all_on(len(rows)))

    def feeds(self, rows: np.ndarray, masks: np.ndarray) -> dict[str, Array]:
        """Return all inputs of the samples `rows` with their masks (samples, units)."""
        xp, start = self.network.device.namespace, 0
        found = self.feed(rows)
        for place in self.places:
            shape = [1] * place.rank
            shape[0], shape[place.axis] = len(rows), place.units
            part = masks[:, start : start + place.units].reshape(shape)
            found[self.factors[place.tensor]] = xp.asarray(np.ascontiguousarray(part))
            start += place.units
        return found

    def all_on(self, samples: int) -> np.ndarray:
        """Return masks that leave all units on (samples, units)."""
        return np.ones((samples, self.units), np.float32)

    def outputs(self, rows: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """Return what is predicted from, (samples, classes)."""
        return self._over_all(rows, masks, None)[0]

    def leads(
        self, rows: np.ndarray, masks: np.ndarray, labels: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return outputs, and the gradients (samples, units) of the leads of labels."""
        outputs, gradients = self._over_all(rows, masks, labels)
        assert gradients is not None
        return outputs, gradients

    def _over_all(
        self, rows: np.ndarray, masks: np.ndarray, labels: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        pieces = Pieces(np.arange(len(rows)), self.network.batch or min(self.size, len(rows)))
        outputs, found = [], []
        for number in range(len(pieces)):
            some, (place, skipped) = pieces.rows_of(number), pieces.place(number)
            fresh = slice(skipped, skipped + place.stop - place.start)
            forward = self.gradients.run(self.feeds(rows[some], masks[some]))
            outputs.append(to_host(forward.outputs[0])[fresh])
            if labels is not None:
                found.append(self._walked(forward, labels[some])[fresh])
        return np.concatenate(outputs), np.concatenate(found) if found else None

    def _walked(self, forward: Forward, labels: np.ndarray) -> np.ndarray:
        xp = self.network.device.namespace
        lead = margin(forward.outputs[0], xp.asarray(labels))
        backward = forward.backward(lead.gradient)
        parts = [backward.arrays[self.factors[place.tensor]] for place in self.places]
        return np.concatenate([to_host(one).reshape(len(labels), -1) for one in parts], axis=1)


def _places(
    opened: Opened, feed: Feeder, rows: np.ndarray
) -> tuple[tuple[Place, ...], tuple[str, ...]]:
    """Return the sites whose units can be switched off, and a note on the others.

    Raises:
        UsageError: there is none.
    """
    network = opened.network
    sites = [site for site in opened.sites if network.output in site.reaches]
    names = [site.tensor for site in sites if site.status == "ok"]
    shapes: Mapping[str, tuple[int, ...]] = {}
    few = rows[: network.batch or min(2, len(rows))]
    if names:
        session = network.session(graph.expose(network.model, names))
        values = session.run(feed(few), names)
        shapes = {name: tuple(value.shape) for name, value in zip(names, values, strict=True)}
    found = [_place(site, shapes.get(site.tensor, ()), len(few)) for site in sites]
    places = tuple(place for place in found if place is not None)
    if not places:
        raise UsageError("no activation of it has units that can be switched off")
    left = len(sites) - len(places)
    note = f"{left} activations are left out: which axes count samples and units is not known"
    return places, (note,) if left else ()


def _place(site: graph.Site, shape: tuple[int, ...], samples: int) -> Place | None:
    axis = site.feature_axis
    if axis is None and len(shape) == 2:
        axis = 1
    if axis is None or len(shape) < 2 or shape[0] != samples or axis % len(shape) == 0:
        return None
    axis %= len(shape)
    return Place(site.tensor, axis, len(shape), int(shape[axis]))
