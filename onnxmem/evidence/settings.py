"""How neighbours are looked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from onnxmem.network.features import Pool
from onnxmem.network.settings import RunSettings, check_names


@dataclass(frozen=True, slots=True)
class EvidenceSettings(RunSettings):
    """How a network is run for evidence.

    Attributes:
        pool: all positions of a layer's features, or their mean.
    """

    pool: Pool = "all"

    def __post_init__(self) -> None:
        check_names("pool", (self.pool,), ("all", "mean"))
        RunSettings.__post_init__(self)

    @property
    def influences(self) -> dict[str, Any]:
        """The settings that may change an activation, beside device and output."""
        return {"exact": self.exact, "memory": self.memory, "bind": dict(self.bind)}

    def resolved(self, output: str | None) -> dict[str, Any]:
        """Return the settings as JSON types, with the output that was chosen."""
        return self.to_dict() | {"output_name": output}
