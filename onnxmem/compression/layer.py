"""One layer: check its cut, then compress its activations and score what the tail makes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from onnxmem.compression.experiment import Experiment
from onnxmem.compression.points import measure_curve
from onnxmem.errors import ModelRefusedError, OutOfMemoryError, UsageError
from onnxmem.factorize import compressor
from onnxmem.graph import Site
from onnxmem.network.layer_run import LayerRun, SkipError
from onnxmem.network.outputs import TOLERANCE
from onnxmem.records import Curve, CutInfo, Layer, Status


@dataclass(frozen=True, slots=True)
class Measured:
    """A layer of the report, and the bootstrap AuCs (draws,) of each of its curves by key.

    `failed` tells a layer that should have been measured from one that never can be, `exhausted`
    one for which the memory did not suffice.
    """

    layer: Layer
    resampled: Mapping[str, np.ndarray]
    failed: bool = False
    exhausted: bool = False


def measure_layer(site: Site, experiment: Experiment, advance: Callable[[int], None]) -> Measured:
    """Measure all curves of one site; `advance` is told how many are done.

    A site that cannot be measured is skipped, and its record says why.
    """
    if site.status != "ok":
        return unmeasured(site, site.reason)
    try:
        return _measure(site, experiment, advance)
    except SkipError as cause:
        return unmeasured(site, str(cause))
    except (ModelRefusedError, UsageError) as cause:
        return replace(unmeasured(site, str(cause)), failed=True)
    except OutOfMemoryError as cause:
        return replace(unmeasured(site, str(cause)), failed=True, exhausted=True)
    except MemoryError:
        reason = "out of memory at this cut; use a smaller --memory, or a smaller --per-class"
        return replace(unmeasured(site, reason), failed=True, exhausted=True)


def _measure(site: Site, experiment: Experiment, advance: Callable[[int], None]) -> Measured:
    run = LayerRun(site, experiment.evaluation)
    error = run.check()
    cut = CutInfo(run.cut.crossing + run.cut.direct, error)
    layer = replace(unmeasured(site, "").layer, shape=run.shape, feature_axis=run.axis, cut=cut)
    if error > TOLERANCE:
        reason = (
            f"the cut fails its self-check: the joined parts differ from the model by "
            f"{error:.1e} of its output's scale"
        )
        return Measured(replace(layer, reason=reason), {}, failed=True)
    curves, resampled = _curves(run, experiment, advance)
    return scored(layer, curves, resampled)


def scored(layer: Layer, curves: Sequence[Curve], resampled: Mapping[str, np.ndarray]) -> Measured:
    """Return `layer` with `curves` in place of its own, and what can be read from them."""
    status, reason = _state(curves)
    layer = replace(layer, status=status, reason=reason, curves=tuple(curves))
    return Measured(layer, resampled)


def _state(curves: Sequence[Curve]) -> tuple[Status, str]:
    """Return whether any of the curves can be read, and if not, why."""
    if any(one.scored for one in curves):
        return "scored", ""
    if any(one.above for one in curves):
        return "above", "compression makes right what the untouched network gets wrong"
    return "saturated", "hardly any compression costs accuracy"


def _curves(
    run: LayerRun, experiment: Experiment, advance: Callable[[int], None]
) -> tuple[list[Curve], dict[str, np.ndarray]]:
    """Measure every compressor on every kind of batch."""
    curves: list[Curve] = []
    resampled, settings = {}, experiment.settings
    for kind in settings.batch:
        for name in settings.compress:
            method = compressor(name, signed=run.signed)
            limit = max(run.limit(key, parts=method.parts) for key in run.numbers(kind))
            one, areas = measure_curve(run, experiment, kind, method, limit)
            curves.append(one)
            resampled[one.key] = areas
            advance(len(curves))
    return curves, resampled


def unmeasured(site: Site, reason: str) -> Measured:
    """Return the record of a site that is skipped for `reason`."""
    layer = Layer(
        tensor=site.tensor,
        op=site.op,
        index=site.index,
        shape=site.sizes,
        feature_axis=site.feature_axis,
        status="skipped",
        reason=reason,
        cut=None,
    )
    return Measured(layer, {})
