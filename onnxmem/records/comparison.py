"""The records of a comparison: several reports side by side, and how far they are apart.

Frozen and plain like those of a report; the field names are those of the JSON, whose schema
`onnxmem/report/comparison.schema.json` is made from these classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from onnxmem.errors import DataError
from onnxmem.records.report import Report

COMPARISON_SCHEMA = "onnxmem.compare/1"


@dataclass(frozen=True, slots=True)
class Cell:
    """One score of one model.

    Attributes:
        auc, auc_low, auc_high: the AuC, or the mean over the layers that are not saturated, and
            its 95 % interval; None where there is none.
        saturated: nothing can be read from it.
        above: the curve lies above the baseline, so that nothing can be read from it either.
        auc_relative: the AuC over the accuracy of the untouched model.
        difference: to the first model. Of a mean: over the layers that both models have and that
            are saturated in neither. None where there is nothing to subtract.
        difference_low, difference_high: its 95 % interval from paired resamples, widened by what
            the ranks left out could change; None where the samples are not known to be the same.
        apart: whether that interval leaves out 0; None where there is none.
        layers: how many layers the difference is taken over.
    """

    auc: float | None
    auc_low: float | None
    auc_high: float | None
    saturated: bool
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    apart: bool | None = None
    layers: int = 0
    above: bool = False
    auc_relative: float | None = None

    @property
    def scored(self) -> bool:
        """Whether anything can be read from it."""
        return not self.saturated and not self.above


@dataclass(frozen=True, slots=True)
class Row:
    """Layers that correspond to each other, one for each model; None where a model has none.

    `width` counts features, None where it is not known; `scores` has for each key one cell for
    each model, None where nothing was measured.
    """

    width: int | None
    tensors: tuple[str | None, ...]
    scores: dict[str, tuple[Cell | None, ...]]


@dataclass(frozen=True, slots=True)
class Similarity:
    """How alike two models are at a layer that both have, or at their output, on held-out inputs.

    Attributes:
        a, b: the models, as `Comparison.models` names them.
        layer: the tensor of `a`.
        counterpart: that of `b`.
        kind: `site`, or `output` where logits are compared.
        cka: linear centered kernel alignment, estimated without bias: 1 where both are the same
            but for rotation, shift and scale, about 0 where they have nothing to do with each
            other. None where a layer does not vary.
        neighbour_overlap: the share of the 10 nearest other inputs that both have in common, mean
            over inputs.
    """

    a: str
    b: str
    layer: str
    counterpart: str
    kind: Literal["site", "output"]
    cka: float | None
    neighbour_overlap: float


@dataclass(frozen=True, slots=True)
class Predictions:
    """How much the answers of two models to held-out inputs agree.

    Attributes:
        a, b: the models, as `Comparison.models` names them.
        agreement: the share of inputs to which both give the same answer.
        kappa, kappa_low, kappa_high: Cohen's kappa, what agreement there is beyond chance, and its
            95 % interval. None where both give one and the same answer to everything.
    """

    a: str
    b: str
    agreement: float
    kappa: float | None
    kappa_low: float | None
    kappa_high: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Several reports, and what they have in common.

    Differences are those to the first model. `notes` says how the data were given to models that
    take them in different forms. `similarity` and `predictions` are of every pair of models, on
    `held_out_samples` inputs that none was trained on; empty without such inputs.
    """

    schema: str
    models: tuple[str, ...]
    summary: dict[str, tuple[Cell | None, ...]]
    layers: tuple[Row, ...]
    notes: tuple[str, ...]
    reports: tuple[Report, ...]
    similarity: tuple[Similarity, ...] = ()
    predictions: tuple[Predictions, ...] = ()
    held_out_samples: int = 0

    @property
    def exit_code(self) -> int:
        """What the command line returns: the highest code of all reports."""
        return max(report.exit_code for report in self.reports)

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON types: dictionaries, lists, strings, numbers and None."""
        plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self))
        return plain

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Comparison:
        """Return the comparison that `to_dict` turned into `values`.

        Raises:
            DataError: a field is missing, or has the wrong type or number of entries.
        """
        try:
            found = msgspec.convert(values, cls)
        except msgspec.ValidationError as error:
            raise DataError(f"this is no {COMPARISON_SCHEMA} comparison: {error}") from error
        rows = [found.summary, *(row.scores for row in found.layers)]
        widths = {len(cells) for row in rows for cells in row.values()}
        widths |= {len(row.tensors) for row in found.layers} | {len(found.models)}
        if widths != {len(found.reports)} or len(found.reports) < 2:
            raise DataError(f"this is no {COMPARISON_SCHEMA} comparison: its rows differ in length")
        named = {name for one in found.similarity for name in (one.a, one.b)}
        named |= {name for one in found.predictions for name in (one.a, one.b)}
        if not named <= set(found.models):
            raise DataError(f"this is no {COMPARISON_SCHEMA} comparison: it has pairs of others")
        return found
