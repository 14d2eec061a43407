"""Looks at a model without labels: every ReLU site, its cut, and what stands in the way.

`inspect` reads the graph alone. Given a `Trial` it also runs every cut: the head, the tail, and
the whole model on the same samples, whose outputs must agree to within `TOLERANCE`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from onnxmem import graph
from onnxmem.agreement import Agreement, agreement, difference, in_words
from onnxmem.arrays import Array
from onnxmem.auditing.capture import CutRunner, Piece
from onnxmem.auditing.network import TOLERANCE, Network, choose_output, prepare
from onnxmem.auditing.settings import Settings
from onnxmem.auditing.sites import nothing_found
from onnxmem.binding import blames_bind
from onnxmem.data import Column
from onnxmem.errors import ModelRefusedError, UsageError
from onnxmem.feeds import Inputs, find_inputs, recorded_inputs
from onnxmem.hazards import see
from onnxmem.parts import require_runnable
from onnxmem.records import ModelInfo
from onnxmem.report.words import printable
from onnxmem.runtime import Device, select_device

SCHEMA = "onnxmem.inspect/1"

_SAMPLES = 8
"""Samples that run through every cut, where the model takes any batch."""


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
        tensor, op, index, node: as in `onnxmem.graph.Site`.
        status: "ok", or "unsupported" for `reason`.
        shape: sizes, None where they are free or not known.
        feature_axis: None where undecided; -1 is the last axis of a tensor of unknown rank.
        axis_from: how the feature axis was decided.
        batch_axis: 0 where running showed that axis 0 follows the samples, else None.
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
    batch_axis: int | None = None
    crossing: tuple[str, ...] = ()
    direct: tuple[str, ...] = ()
    whole_batch: tuple[str, ...] = ()
    tensor_bytes: int | None = None
    crossing_bytes: int | None = None
    relative_error: float | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """What the cuts ran on.

    `batch` is the only batch size that the model takes, None where any; `notes` say what was
    assumed of the samples, and changed so that the model takes them. `recorded` tells for each
    recorded test case whether the whole model gave what it holds.
    """

    device: str
    samples: int
    batch: int | None
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
        return json.dumps(asdict(self), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def inspect(
    path: str | Path,
    *,
    kinds: Sequence[str] = ("relu",),
    bind: Mapping[str, Any] | None = None,
    output_name: str | None = None,
    trial: Trial | None = None,
) -> Inspection:
    """Find every site of the model at `path`, and run its cut where a `trial` is given.

    Args:
        path: the ONNX file.
        kinds: kinds of activations, see `onnxmem.graph.find_sites`.
        bind: values of inputs that are fixed for good.
        output_name: the only output that the tails shall compute; None: all of them.
        trial: how to run the cuts; None: only the graph is read.

    Raises:
        UsageError: no such file, output or kind, or inputs on which the model does not run.
        EnvironmentFailedError: onnxruntime refuses the whole model, or the device is not usable.
    """
    model = graph.load(path, dict(bind or {}))
    if output_name is not None:
        choose_output(model, output_name)
    found = graph.find_sites(model, kinds)
    if trial is None:
        with blames_bind(bind or {}):
            require_runnable(model)
    sites, verified = tuple(map(_described, found)), None
    if sites and trial is not None:
        with blames_bind(bind or {}):
            sites, verified = _verify(model, sites, output_name, trial)
    else:
        sites = tuple(_with_crossing(model, site, output_name) for site in sites)
    return Inspection(
        schema=SCHEMA,
        model=ModelInfo(str(path), model.sha256, model.ir_version, model.opset, model.producer),
        inputs=model.inputs,
        outputs=model.outputs,
        notes=model.notes + (verified.notes if verified is not None else ()),
        verified=verified,
        sites=sites,
        other_activations=dict(graph.other_activations(model)),
        nothing_found="" if sites else nothing_found(model, kinds),
    )


def _described(site: graph.Site) -> Inspected:
    axis, shape = site.feature_axis, site.shape
    return Inspected(
        tensor=site.tensor,
        op=site.op,
        index=site.index,
        node=site.node,
        status=site.status,
        reason=site.reason,
        shape=None if shape is None else tuple(n if isinstance(n, int) else None for n in shape),
        feature_axis=axis % len(shape) if axis is not None and shape else axis,
        axis_from=site.axis_from,
    )


def _with_crossing(model: graph.Model, site: Inspected, output: str | None) -> Inspected:
    if site.status != "ok":
        return site
    try:
        return _needing(site, graph.cut_needs(model, site.tensor, output))
    except UsageError as cause:
        return _refused(site, str(cause))


def _needing(site: Inspected, needs: graph.Needs | graph.Cut) -> Inspected:
    return replace(
        site,
        crossing=needs.crossing + needs.direct,
        direct=needs.direct,
        whole_batch=needs.whole_batch,
    )


def _refused(site: Inspected, reason: str) -> Inspected:
    return replace(site, status="unsupported", reason=reason)


def _verify(
    model: graph.Model, sites: tuple[Inspected, ...], output: str | None, trial: Trial
) -> tuple[tuple[Inspected, ...], Verified]:
    """Run every cut that the graph allows."""
    device = select_device(trial.device)
    model = graph.widen(model)
    settings = Settings(output_name=output or model.outputs[0].name, exact=trial.exact)
    checked, agreements, samples = sites, [], 0
    with device.scope():
        for inputs, recorded in _cases(model, trial, device):
            with prepare(model, inputs.samples, inputs.shared, device, settings) as network:
                bench = _Bench(replace(network, prepack=False), inputs, output)
                checked = tuple(
                    _worse(s, bench.check(s)) if s.status == "ok" else s for s in checked
                )
            samples += len(bench.rows)
            if recorded is not None:
                agreements.append(agreement(recorded, bench.expected))
    failed = sum(
        before.status == "ok" != after.status for before, after in zip(sites, checked, strict=True)
    )
    ran = (device.name, samples, network.batch, inputs.random, failed, inputs.notes)
    return checked, Verified(*ran, tuple(agreements))


def _cases(
    model: graph.Model, trial: Trial, device: Device
) -> Iterator[tuple[Inputs, graph.Recorded | None]]:
    """Yield what the cuts run on: each test case, or the samples that were given or drawn."""
    for folder in trial.recorded:
        recorded = graph.load_recorded(folder, model)
        yield recorded_inputs(model, recorded), recorded
    if not trial.recorded:
        yield find_inputs(model, trial.arrays, device), None


def _worse(before: Inspected, after: Inspected) -> Inspected:
    """Return a site after another test case, with the larger error of both."""
    errors = [one.relative_error for one in (before, after) if one.relative_error is not None]
    if after.status != "ok" or not errors:
        return after
    return replace(after, relative_error=max(errors))


class _Bench:
    """The whole model's outputs for some samples, and every cut against them."""

    def __init__(self, network: Network, inputs: Inputs, output: str | None) -> None:
        self.network, self.output = network, output
        most = inputs.count if inputs.recorded else _SAMPLES
        count = network.batch or min(most, inputs.count)
        if count > inputs.count:
            raise UsageError(
                f"{network.model.path} takes {count} samples at once, the data hold {inputs.count}"
            )
        self.rows, self.invented = np.arange(count), inputs.invented
        self.samples = network.feeds({n: array[:count] for n, array in inputs.samples.items()})
        self.shared = network.feeds(inputs.shared)
        session = network.session(graph.expose(network.model, []))
        feeds = self.samples | self.shared
        names = [one.name for one in session.outputs]
        self.expected = dict(zip(names, session.run(feeds), strict=True))

    def check(self, site: Inspected) -> Inspected:
        """Run one cut; a failure is a reason, never an exception."""
        try:
            cut = graph.split(self.network.model, site.tensor, self.output)
            site = _needing(site, cut)
            return self._judged(site, CutRunner(self.network, cut, self.samples, self.shared))
        except (ModelRefusedError, UsageError) as cause:
            return _refused(site, str(cause))

    def _judged(self, site: Inspected, runner: CutRunner) -> Inspected:
        piece = self._capture(runner, self.rows)
        joined = runner.joined(piece)
        pairs = zip(runner.cut.outputs, joined, strict=True)
        error = max(difference(array, self.expected[name]) for name, array in pairs)
        batch_axis = self._batch_axis(runner, piece)
        axis, rank = site.feature_axis, piece.tensor.ndim
        site = replace(
            site,
            shape=self._shape(site, piece.tensor, batch_axis),
            feature_axis=axis % rank if axis is not None and rank else axis,
            batch_axis=batch_axis,
            tensor_bytes=int(piece.tensor.nbytes) // piece.samples,
            crossing_bytes=(piece.nbytes - int(piece.tensor.nbytes)) // piece.samples,
            relative_error=error if math.isfinite(error) else None,
        )
        if error <= TOLERANCE:
            return site
        return _refused(site, _failure(error, exact=self.network.exact))

    def _capture(self, runner: CutRunner, rows: np.ndarray) -> Piece:
        (piece,) = runner.capture(rows, 0, len(rows)).pieces
        for name, value in {runner.cut.tensor: piece.tensor, **piece.others}.items():
            if not hasattr(value, "dtype"):
                raise UsageError(
                    f"the cut needs {name!r}, which is no tensor but a sequence{see('outputs')}"
                )
        return piece

    def _batch_axis(self, runner: CutRunner, piece: Piece) -> int | None:
        """Return 0 where turning the samples around turns axis 0 of the tensor around."""
        tensor, count = piece.tensor, piece.samples
        if count < 2 or not self.samples or tensor.shape[:1] != (count,):
            return None
        turned = self._capture(runner, self.rows[::-1]).tensor
        return 0 if difference(turned, tensor[::-1]) <= TOLERANCE else None

    def _shape(
        self, site: Inspected, tensor: Array, batch_axis: int | None
    ) -> tuple[int | None, ...]:
        """Return the sizes that the graph tells or that the given samples have."""
        known = site.shape or ()
        if len(known) != tensor.ndim:
            known = (None,) * tensor.ndim
        sizes = [
            int(found) if size is None and not self.invented else size
            for size, found in zip(known, tensor.shape, strict=True)
        ]
        if sizes and (known[0] is None or (batch_axis == 0 and self.network.batch is None)):
            sizes[0] = None
        return tuple(sizes)


def _failure(error: float, *, exact: bool) -> str:
    how = f"by {error:.1e} of its output's scale" if math.isfinite(error) else "in shape or in kind"
    hint = "" if exact else "; try --exact"
    return (
        f"the cut fails its self-check: the joined parts differ from the model {how}{hint}"
        f"{see('rounding')}"
    )
