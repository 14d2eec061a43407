"""One row for each sample, by columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnxmem.records import SampleEvidence

PLAIN = (
    *("id", "row", "label", "prediction", "score", "margin", "neighbours_say"),
    *("fitted", "memorized", "strong", "depth"),
)
"""Fields that are columns as they are."""

_NAMED = {"label": "label_name", "prediction": "prediction_name", "neighbours_say": "say_name"}


def columns(
    samples: Sequence[SampleEvidence], names: Mapping[str, str] | None = None
) -> dict[str, list[Any]]:
    """Return a list for each column, an entry for each sample; names of classes if there are any.

    Args:
        samples: the samples.
        names: of the classes by their number.
    """
    found: dict[str, list[Any]] = {}
    for field in PLAIN:
        found[field] = [getattr(sample, field) for sample in samples]
        if names and field in _NAMED:
            numbers = found[field]
            found[_NAMED[field]] = [names.get(str(number), str(number)) for number in numbers]
    return found
