"""What `onnxmem samples` finds of one network, and what it was found with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from onnxmem.errors import DataError
from onnxmem.records.evidence import LayerEvidence, NetworkEvidence, SampleEvidence
from onnxmem.records.report import DataInfo, ModelInfo, Tool

SAMPLES_SCHEMA = "onnxmem.samples/1"


@dataclass(frozen=True, slots=True)
class SamplesReport:
    """Evidence of all samples of one network. `network` is None where `reason` says why.

    `pictures` of samples that stand out and of their neighbours, by row, are for a page and never
    stored: see `onnxmem.data.pictures`.
    """

    schema: str
    tool: Tool
    model: ModelInfo
    data: DataInfo
    settings: dict[str, Any]
    environment: dict[str, Any]
    network: NetworkEvidence | None
    layers: tuple[LayerEvidence, ...]
    samples: tuple[SampleEvidence, ...]
    reason: str = ""
    notes: tuple[str, ...] = ()
    names: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, str] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """What the command line returns: 0 where something was measured, else 3."""
        return 3 if self.network is None else 0

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON types: dictionaries, lists, strings, numbers and None."""
        plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self))
        del plain["pictures"]
        return plain

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> SamplesReport:
        """Return the report that `to_dict` turned into `values`.

        Raises:
            DataError: a field is missing or has the wrong type; the message says which.
        """
        try:
            return replace(msgspec.convert(values, cls), pictures={})
        except msgspec.ValidationError as error:
            raise DataError(f"this is no {SAMPLES_SCHEMA} report: {error}") from error
