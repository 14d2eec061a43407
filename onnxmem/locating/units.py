"""How many units have to be switched off until a sample loses its label.

Every site gets a factor. One walk back gives what switching any unit of any site off would change
to first order: by how much the label would be less ahead, for the sample itself and on average for
protected ones. The unit with the largest difference of the two is switched off, until the label is
no longer the one predicted. Beside it stand as many drawn units, and margins.

Suspects need fewer units than others, but margins say as much, other samples lose their labels as
well, and drawn units do hardly less: no unit is claimed to memorize.

Source: Maini et al. (2023), who take the loss; the lead of the label does not vanish where a
network is sure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from onnxmem.errors import NoGradientError, UsageError
from onnxmem.locating.crowd import Crowd
from onnxmem.locating.masking import Masked
from onnxmem.network.opening import Opened
from onnxmem.records import LayerUnits, SampleUnits, Units, UnitsGroup

MOST_UNITS = 64
"""Units that are switched off at most for one sample."""

PROTECTED = 64
"""Other samples whose labels should stay."""

Advance = Callable[[int, int], None]


def flip_units(opened: Opened, crowd: Crowd, most: int, seed: int, advance: Advance) -> Units:
    """Return how many units it takes to flip suspects and others.

    Args:
        opened: the network.
        crowd: suspects and other samples.
        most: of either that are flipped.
        seed: of the drawn units.
        advance: told about progress.
    """
    try:
        masked = Masked(opened, crowd.rows)
        return _Flipper(masked, opened, _few(masked, crowd, most), seed, advance).record()
    except (NoGradientError, UsageError) as error:
        none = UnitsGroup(0, *[None] * 6)
        return Units(MOST_UNITS, none, none, None, None, (), (), reason=str(error))


@dataclass(frozen=True, slots=True)
class _Few:
    """Samples that the network gives their label.

    Attributes:
        crowd: those to flip, suspects first.
        margins: (n,) how far their labels are ahead.
        protected, answers: others, and what the network says of them.
    """

    crowd: Crowd
    margins: np.ndarray
    protected: np.ndarray
    answers: np.ndarray


def _few(masked: Masked, crowd: Crowd, most: int) -> _Few:
    """Choose samples that the network fits.

    Raises:
        UsageError: it fits no suspect, or too few others.
    """
    some = crowd.first(4 * (most + PROTECTED))
    outputs = masked.outputs(some.rows, masked.all_on(len(some)))
    leads = _leads(outputs, some.labels)
    suspects, others = (
        np.flatnonzero((some.suspect == one) & (leads > 0)) for one in (True, False)
    )
    if not len(suspects) or len(others) < 2:
        raise UsageError("the network fits too few suspects, or too few others, to flip any")
    count = min(most, len(others) // 2)
    places = np.concatenate([suspects[:most], others[:count]])
    chosen = Crowd(some.rows[places], some.suspect[places], some.labels[places])
    kept = others[count : count + PROTECTED]
    return _Few(chosen, leads[places], some.rows[kept], some.labels[kept])


def _leads(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return how far labels are ahead of the best other class (n,)."""
    own = np.take_along_axis(outputs, labels[:, None], axis=1)[:, 0]
    others = outputs.copy()
    np.put_along_axis(others, labels[:, None], -np.inf, axis=1)
    return np.asarray(own - others.max(axis=1), np.float64)


class _Flipper:
    def __init__(
        self, masked: Masked, opened: Opened, few: _Few, seed: int, advance: Advance
    ) -> None:
        self.masked, self.few, self.seed, self.advance = masked, few, seed, advance
        self.ids = opened.samples.ids

    def record(self) -> Units:
        """Flip all samples, and put what was found into a record."""
        few, order = self.few, self._drawn()
        found, masks = self._until_flipped(self._best_units())
        drawn, _ = self._until_flipped(lambda active, masks, step: order[active, step])
        harm, random_harm = self._harms(found, masks, order)
        samples = [
            self._sample(at, found[at], drawn[at], harm[at], random_harm[at])
            for at in range(len(few.crowd))
        ]
        suspects = [one for one in samples if one.suspect]
        others = [one for one in samples if not one.suspect]
        counts = np.where(found < 0, MOST_UNITS + 1, found)
        return Units(
            most=MOST_UNITS,
            clean=_group(others),
            suspect=_group(suspects),
            units_auroc=_auroc(-counts, few.crowd.suspect),
            margin_auroc=_auroc(-few.margins, few.crowd.suspect),
            layers=self._layers(found, masks),
            samples=tuple(samples),
            notes=self.masked.notes,
        )

    def _drawn(self) -> np.ndarray:
        """Return units in an order that is drawn for each sample (n, units)."""
        rng = np.random.default_rng([self.seed, 0xF11B])
        return np.stack([rng.permutation(self.masked.units) for _ in self.few.crowd.rows])

    def _best_units(self) -> Callable[[np.ndarray, np.ndarray, int], np.ndarray]:
        """Return what chooses the next unit of samples, by their gradients and protected ones."""
        few, masked = self.few, self.masked
        on = masked.all_on(len(few.protected))
        spared = masked.leads(few.protected, on, few.answers)[1].mean(axis=0)

        def choose(active: np.ndarray, masks: np.ndarray, step: int) -> np.ndarray:
            crowd = few.crowd
            _, own = masked.leads(crowd.rows[active], masks[active], crowd.labels[active])
            return np.asarray(np.where(masks[active] > 0, own - spared, -np.inf).argmax(axis=1))

        return choose

    def _until_flipped(
        self, choose: Callable[[np.ndarray, np.ndarray, int], np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Switch units off until each sample has lost its label.

        Args:
            choose: gives the next unit of each sample (n,) that is still to be flipped, from their
                places, all masks, and how many units were switched off before.

        Returns:
            How many units it took (n,), -1 where more than `MOST_UNITS`, and the masks (n, units).
        """
        crowd, masked = self.few.crowd, self.masked
        masks, needed = masked.all_on(len(crowd)), np.full(len(crowd), -1)
        active = np.arange(len(crowd))
        for step in range(min(MOST_UNITS, masked.units)):
            self.advance(len(crowd) - len(active), len(crowd))
            masks[active, choose(active, masks, step)] = 0
            outputs = masked.outputs(crowd.rows[active], masks[active])
            flipped = _leads(outputs, crowd.labels[active]) <= 0
            needed[active[flipped]] = step + 1
            active = active[~flipped]
            if not len(active):
                break
        return needed, masks

    def _harms(
        self, needed: np.ndarray, masks: np.ndarray, order: np.ndarray
    ) -> tuple[list[float | None], list[float | None]]:
        """Return the shares of protected samples that lose their answer with each sample's units.

        And those with as many drawn units; None where a sample did not flip.
        """
        found: tuple[list[float | None], list[float | None]] = [], []
        for at, count in enumerate(needed.tolist()):
            drawn = np.ones(self.masked.units, np.float32)
            drawn[order[at, : max(count, 0)]] = 0
            for one, mask in zip(found, (masks[at], drawn), strict=True):
                one.append(None if count < 0 else self._harm(mask))
        return found

    def _harm(self, mask: np.ndarray) -> float:
        few = self.few
        masks = np.broadcast_to(mask, (len(few.protected), len(mask)))
        outputs = self.masked.outputs(few.protected, masks)
        return float((_leads(outputs, few.answers) <= 0).mean())

    def _sample(
        self, at: int, units: int, drawn: int, harm: float | None, random_harm: float | None
    ) -> SampleUnits:
        row = int(self.few.crowd.rows[at])
        return SampleUnits(
            id=str(row) if self.ids is None else str(self.ids[row]),
            row=row,
            suspect=bool(self.few.crowd.suspect[at]),
            margin=float(self.few.margins[at]),
            units=None if units < 0 else int(units),
            random_units=None if drawn < 0 else int(drawn),
            harm=harm,
            random_harm=random_harm,
        )

    def _layers(self, needed: np.ndarray, masks: np.ndarray) -> tuple[LayerUnits, ...]:
        """Return where the units are that flipped samples."""
        groups = [(needed > 0) & (self.few.crowd.suspect == one) for one in (False, True)]
        counts = [(masks[chosen] == 0).sum(axis=0) for chosen in groups]
        found, start = [], 0
        for place in self.masked.places:
            here = slice(start, start + place.units)
            shares = [
                float(count[here].sum() / count.sum()) if count.sum() else None for count in counts
            ]
            found.append(LayerUnits(place.tensor, place.units, *shares))
            start += place.units
        return tuple(found)


def _group(samples: Sequence[SampleUnits]) -> UnitsGroup:
    def median(values: Sequence[float | None]) -> float | None:
        """Return the median, None where it lies among those that are not known."""
        if not values:
            return None
        middle = float(np.median([np.inf if one is None else one for one in values]))
        return middle if np.isfinite(middle) else None

    def mean(values: Sequence[float | None]) -> float | None:
        known = [one for one in values if one is not None]
        return float(np.mean(known)) if known else None

    return UnitsGroup(
        samples=len(samples),
        flipped=mean([float(one.units is not None) for one in samples]),
        margin=median([one.margin for one in samples]),
        units=median([one.units for one in samples]),
        random_units=median([one.random_units for one in samples]),
        harm=mean([one.harm for one in samples]),
        random_harm=mean([one.random_harm for one in samples]),
    )


def _auroc(scores: np.ndarray, positive: np.ndarray) -> float | None:
    """Return how well scores (n,) tell the positive ones: 1 where all of theirs are larger."""
    high, low = scores[positive], scores[~positive]
    if not len(high) or not len(low):
        return None
    above = (high[:, None] > low).mean() + (high[:, None] == low).mean() / 2
    return float(above)
