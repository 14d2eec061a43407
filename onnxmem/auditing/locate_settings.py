"""Settings of `locate`: how a network is run, and what is asked of its layers."""

from __future__ import annotations

from dataclasses import dataclass

from onnxmem.errors import UsageError
from onnxmem.evidence.settings import EvidenceSettings

FLAGGED = "samples"
"""In place of a file of suspects: those that neighbours flag, whatever the data say."""


@dataclass(frozen=True, slots=True)
class LocateSettings(EvidenceSettings):
    """How a network is run, and what is asked of its layers.

    Attributes:
        checkpoint: an earlier state of the network, for the record.
        suspects: where suspects come from: a file, for the record; "samples" takes those that
            neighbours flag; None takes true labels where the data have them, else these.
        most: suspects, and other samples, that are rewound and differentiated.
        units: suspects, and other samples, whose units are switched off; 0 leaves that out.
    """

    checkpoint: str | None = None
    suspects: str | None = None
    most: int = 2000
    units: int = 32

    def __post_init__(self) -> None:
        EvidenceSettings.__post_init__(self)
        if self.most < 1:
            raise UsageError(f"--most {self.most}: give a number of samples from 1 on")
        if self.units < 0:
            raise UsageError(f"--units {self.units}: give a number of samples, 0 for none")
