"""What somebody accepted beforehand: a gate that may fail, for a reason and perhaps for a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from onnxmem.errors import UsageError

WaiverState = Literal["applied", "insufficient", "unneeded", "expired", "unmatched"]
"""What became of a waiver: the gate fails and is forgiven; it fails without what is waived, too; it
did not fail; the waiver is past its day; there is no such gate, layer or sample."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """A gate that may fail, wholly or as far as a layer or a sample is the cause.

    Attributes:
        gate: the key of the gate, such as `nmf.mixed` or `memorized_share`.
        reason: why, for those who read the report.
        layer: glob of tensors that the gate is judged without; for means over layers.
        sample: id of a sample that the gate is judged without; for shares of memorized samples.
        expires: the last day on which it holds, as YYYY-MM-DD in UTC; empty: for good.
        state: what became of it; None before it was judged.
        without: what the gate compares without the layer or the sample; None where nothing is.
    """

    gate: str
    reason: str
    layer: str = ""
    sample: str = ""
    expires: str = ""
    state: WaiverState | None = None
    without: float | None = None


WAIVER_FIELDS = ("gate", "reason", "layer", "sample", "expires")
"""What somebody says of a waiver; the rest is found."""


def make_waiver(values: Mapping[str, Any]) -> Waiver:
    """Return the waiver that a table of a file, or a dictionary, describes.

    Raises:
        UsageError: it has no gate or no reason, or a field that there is not, or one that is no
            text.
    """
    if unknown := [name for name in values if name not in WAIVER_FIELDS]:
        raise UsageError(f"a waiver has no {unknown[0]!r}; it has {', '.join(WAIVER_FIELDS)}")
    if missing := [name for name in ("gate", "reason") if name not in values]:
        raise UsageError(f"a waiver needs a {missing[0]}")
    texts = {name: _text(name, value) for name, value in values.items()}
    return Waiver(**texts)  # type: ignore[arg-type]


def _text(name: str, value: Any) -> str:
    if name == "expires" and type(value) is date:
        return value.isoformat()
    if name == "sample" and isinstance(value, int):
        return str(value)
    if not isinstance(value, str):
        raise UsageError(f"a waiver's {name} = {value!r} is no text; put it in quotes")
    return value
