"""Runs every cut of a model: head, tail and the whole model on the same samples must agree."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from onnxmem import graph
from onnxmem.arrays import Array, namespace, to_host
from onnxmem.errors import ModelRefusedError, UsageError
from onnxmem.hazards import see
from onnxmem.inspecting.agreement import agreement, difference
from onnxmem.inspecting.feeds import Inputs, find_inputs, recorded_inputs
from onnxmem.inspecting.records import Inspected, Trial, Verified
from onnxmem.network.activations import Piece
from onnxmem.network.classifier import PROBED
from onnxmem.network.independence import axis_that_follows, find_sample_axis
from onnxmem.network.network import Network, prepare
from onnxmem.network.outputs import TOLERANCE
from onnxmem.network.settings import RunSettings
from onnxmem.network.split_network import SplitNetwork
from onnxmem.runtime import Device, select_device
from onnxmem.text import listed


def verify(
    model: graph.Model, sites: tuple[Inspected, ...], output: str | None, trial: Trial
) -> tuple[tuple[Inspected, ...], Verified]:
    """Run every cut that the graph allows."""
    device = select_device(trial.device)
    known = len(model.notes)
    model = graph.widen(model)
    settings = RunSettings(output_name=output or model.outputs[0].name, exact=trial.exact)
    checked, agreements, samples = sites, [], 0
    with device.scope():
        for inputs, recorded in _cases(model, trial, device):
            with prepare(model, inputs.samples, inputs.shared, device, settings) as network:
                # Without prepacking a session is made in no time, but for quantised weights other
                # kernels run then than in an audit.
                prepack = graph.is_quantized(network.model)
                checker = _Checker(replace(network, prepack=prepack), inputs, output)
                checked = tuple(
                    _worse(s, checker.check(s)) if s.status == "ok" else s for s in checked
                )
            samples += checker.count
            if recorded is not None:
                agreements.append(agreement(recorded, checker.expected))
    failed = sum(
        before.status == "ok" != after.status for before, after in zip(sites, checked, strict=True)
    )
    return checked, Verified(
        device=device.name,
        samples=samples,
        batch=None if checker.axis else network.batch,
        sample_axis=checker.axis,
        random=inputs.random,
        failed=failed,
        notes=(*network.model.notes[known:], *inputs.notes, *checker.notes),
        recorded=tuple(agreements),
    )


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


class _Checker:
    """The whole model's outputs for some samples, and every cut against them.

    `samples` holds them twice: as they are (`rows`), then mixed up along `axis`, the axis of the
    inputs that counts samples (`mixed`).
    """

    def __init__(self, network: Network, inputs: Inputs, output: str | None) -> None:
        self.network, self.output = network, output
        most = inputs.count if inputs.recorded else PROBED
        count = network.batch or min(most, inputs.count)
        if count > inputs.count:
            raise UsageError(
                f"{network.model.path} takes {count} samples at once, the data hold {inputs.count}"
            )
        self.rows, self.mixed = np.arange(count), np.arange(count, 2 * count)
        self.invented = inputs.invented
        self.shared = network.feeds(inputs.shared)
        session = network.session(graph.expose(network.model, []))
        names = [one.name for one in session.outputs]
        host = {name: array[:count] for name, array in inputs.samples.items()}

        def run(arrays: Mapping[str, np.ndarray]) -> list[Array]:
            return session.run(network.feeds(arrays) | self.shared)

        outputs = run(host)
        self.expected = dict(zip(names, outputs, strict=True))
        self.notes = (*self._changed_by_optimizations(host), *self._lost(inputs))
        self.axis, turned = find_sample_axis(host, run, outputs)
        lengths = [array.shape[self.axis or 0] for array in host.values()]
        self.count = lengths[0] if lengths else 1
        self.samples = network.feeds(
            {name: np.concatenate([array, turned[name]]) for name, array in host.items()}
        )

    def _changed_by_optimizations(self, host: Mapping[str, np.ndarray]) -> tuple[str, ...]:
        """Return a note where optimizations change an output by more than rounding."""
        network = self.network
        if network.exact:
            return ()
        session = replace(network, exact=True).session(graph.expose(network.model, []))
        plain = session.run(network.feeds(host) | self.shared)
        pairs = zip(plain, self.expected.values(), strict=True)
        error = max(difference(array, other) for array, other in pairs)
        if error <= TOLERANCE:
            return ()
        how = f"by {error:.1e} of its scale" if math.isfinite(error) else "in shape or in kind"
        return (
            f"onnxruntime's optimizations change an output {how}; --exact leaves them out"
            f"{see('rounding')}",
        )

    def _lost(self, inputs: Inputs) -> Iterator[str]:
        """Yield a note for each output that is not finite for some of the given samples."""
        for name, array in self.expected.items():
            if inputs.called is None or getattr(array, "shape", ())[:1] != self.rows.shape:
                continue
            if array.dtype.kind == "f":
                xp = namespace(array)
                finite = xp.isfinite(array.reshape(len(array), -1)).all(axis=1)
                lost = np.flatnonzero(~to_host(finite))
                if lost.size:
                    yield (
                        f"output {name!r} holds NaN or infinite values for {len(lost)} of the "
                        f"{len(array)} samples tried: {listed(inputs.called(lost))}"
                    )

    def check(self, site: Inspected) -> Inspected:
        """Run one cut; a failure is a reason, never an exception."""
        try:
            cut = graph.split(self.network.model, site.tensor, self.output)
            site = site.needing(cut)
            return self._judged(site, SplitNetwork(self.network, cut, self.samples, self.shared))
        except (ModelRefusedError, UsageError) as cause:
            return site.refused(str(cause))

    def _judged(self, site: Inspected, split: SplitNetwork) -> Inspected:
        piece = self._capture(split, self.rows)
        joined = split.joined(piece)
        pairs = zip(split.cut.outputs, joined, strict=True)
        error = max(difference(array, self.expected[name]) for name, array in pairs)
        batch_axis = self._batch_axis(split, piece)
        axis, rank = site.feature_axis, piece.tensor.ndim
        site = replace(
            site,
            shape=self._shape(site, piece.tensor, batch_axis),
            feature_axis=axis % rank if axis is not None and rank else axis,
            batch_axis=batch_axis,
            tensor_bytes=int(piece.tensor.nbytes) // self.count,
            crossing_bytes=(piece.nbytes - int(piece.tensor.nbytes)) // self.count,
            relative_error=error if math.isfinite(error) else None,
        )
        if error <= TOLERANCE:
            return site
        return site.refused(_failure(error, exact=self.network.exact))

    def _capture(self, split: SplitNetwork, rows: np.ndarray) -> Piece:
        (piece,) = split.capture(rows, 0, len(rows)).pieces
        return piece

    def _batch_axis(self, split: SplitNetwork, piece: Piece) -> int | None:
        """Return the axis of the tensor that follows when samples are mixed up."""
        if self.axis is None and len(self.rows) < 2:
            return None
        return axis_that_follows(self._capture(split, self.mixed).tensor, piece.tensor)

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
        if batch_axis is not None and (known[batch_axis] is None or self.network.batch is None):
            sizes[batch_axis] = None
        elif sizes and known[0] is None:
            sizes[0] = None
        return tuple(sizes)


def _failure(error: float, *, exact: bool) -> str:
    how = f"by {error:.1e} of its output's scale" if math.isfinite(error) else "in shape or in kind"
    hint = "" if exact else "; try --exact"
    return (
        f"the cut fails its self-check: the joined parts differ from the model {how}{hint}"
        f"{see('rounding')}"
    )
