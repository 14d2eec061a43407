"""What an inspection finds: plain frozen values, and the JSON that they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

from onnxmem import graph
from onnxmem.data import Column
from onnxmem.inspecting.agreement import Agreement, in_words
from onnxmem.records import ModelInfo
from onnxmem.text import json_text, printable

SCHEMA = "onnxmem.inspect/1"


@dataclass(frozen=True, slots=True)
class Trial:
    """How to run the cuts.

    Attributes:
        arrays: samples by input, as `onnxmem.data.make_samples` takes them; None: random ones.
        device: auto, cpu, cuda or cuda:N.
        exact: leave out the optimizations that round.
        recorded: folders of test cases, see `onnxmem.graph.recorded_folders`, instead of `arrays`.
    """

    arrays: Mapping[str, Column] | None = None
    device: str = "auto"
    exact: bool = False
    recorded: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Inspected:
    """One site.

    Attributes:
        tensor, op, index, node, kind, signed: as in `onnxmem.graph.Site`.
        status: "ok", or "unsupported" for `reason`.
        shape: sizes, None where they are free or not known.
        feature_axis: None where undecided; -1 is the last axis of a tensor of unknown rank.
        axis_from: how the feature axis was decided.
        batch_axis: the axis that followed the samples when the cut was run, None where none did.
        crossing: all tensors that the tail reads beside this one.
        direct: those of `crossing` that are inputs of the model.
        whole_batch: operators that make the tail's result depend on the whole batch.
        tensor_bytes, crossing_bytes: bytes for one sample; None where the cut was not run.
        relative_error: the largest difference between the joined parts and the model over the
            scale of the model's output; None where it was not measured or is not finite.
    """

    tensor: str
    op: str
    index: int
    node: str
    status: str
    reason: str
    shape: tuple[int | None, ...] | None
    feature_axis: int | None
    axis_from: str
    kind: str
    signed: bool
    batch_axis: int | None = None
    crossing: tuple[str, ...] = ()
    direct: tuple[str, ...] = ()
    whole_batch: tuple[str, ...] = ()
    tensor_bytes: int | None = None
    crossing_bytes: int | None = None
    relative_error: float | None = None

    def needing(self, needs: graph.Needs | graph.Cut) -> Self:
        """Return the site with what its cut needs."""
        return replace(
            self,
            crossing=needs.crossing + needs.direct,
            direct=needs.direct,
            whole_batch=needs.whole_batch,
        )

    def refused(self, reason: str) -> Self:
        """Return the site as one that cannot be cut."""
        return replace(self, status="unsupported", reason=reason)


@dataclass(frozen=True, slots=True)
class Verified:
    """What the cuts ran on.

    Attributes:
        device: where.
        samples: how many.
        batch: the only number of them that the model takes along axis 0, None where any.
        sample_axis: the axis of the inputs that counts independent samples, as running showed;
            None where there is none, or one sample only.
        random: whether they were drawn at random.
        failed: cuts that the graph allows and that failed.
        notes: what was assumed of the samples, and changed so that model and samples fit.
        recorded: for each recorded test case whether the whole model gave what it holds.
    """

    device: str
    samples: int
    batch: int | None
    sample_axis: int | None
    random: bool
    failed: int
    notes: tuple[str, ...] = ()
    recorded: tuple[Agreement, ...] = ()


@dataclass(frozen=True, slots=True)
class Inspection:
    """A model and its sites; `verified` is None where no cut was run.

    `nothing_found` says, to follow the model's name, why there are no sites, where there are none.
    """

    schema: str
    model: ModelInfo
    inputs: tuple[graph.TensorSpec, ...]
    outputs: tuple[graph.TensorSpec, ...]
    notes: tuple[str, ...]
    verified: Verified | None
    sites: tuple[Inspected, ...]
    other_activations: dict[str, int]
    nothing_found: str

    @property
    def exit_code(self) -> int:
        """0 where a site is supported, and nothing failed when it was run, else 3."""
        verified = self.verified
        failed = verified is not None and (
            verified.failed > 0 or not all(one.agrees for one in verified.recorded)
        )
        return 0 if any(site.status == "ok" for site in self.sites) and not failed else 3

    @property
    def verdict(self) -> str:
        """What was found, in one line."""
        if not self.sites:
            return f"{printable(self.model.path, 200)} {self.nothing_found}"
        good = sum(site.status == "ok" for site in self.sites)
        found = f"{good} of {len(self.sites)} sites can be cut"
        if self.verified is None:
            return f"{found}; --verify runs every cut"
        source = "random" if self.verified.random else "given"
        failed = f"{self.verified.failed} failed on {self.verified.samples} {source} samples"
        return "; ".join(filter(None, (found, failed, in_words(self.verified.recorded))))

    def to_json(self) -> str:
        """Return the inspection as JSON text."""
        return json_text(asdict(self))
