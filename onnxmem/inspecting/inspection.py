"""Looks at a model without labels: every site, its cut, and what stands in the way.

`inspect` reads the graph alone. Given a `Trial` it also runs every cut: the head, the tail, and
the whole model on the same samples, whose outputs must agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from onnxmem import graph
from onnxmem.errors import UsageError
from onnxmem.inspecting.parts import require_runnable
from onnxmem.inspecting.records import SCHEMA, Inspected, Inspection, Trial, Verified
from onnxmem.inspecting.verification import verify
from onnxmem.network.opening import model_info
from onnxmem.network.outputs import choose_output
from onnxmem.network.settings import check_kinds
from onnxmem.network.sites import nothing_found, told
from onnxmem.runtime.binding import blames_bind


def inspect(
    path: str | Path,
    *,
    kinds: Sequence[str] = (graph.AUTO,),
    bind: Mapping[str, Any] | None = None,
    output_name: str | None = None,
    trial: Trial | None = None,
) -> Inspection:
    """Find every site of the model at `path`, and run its cut where a `trial` is given.

    Args:
        path: the ONNX file.
        kinds: kinds of activations and groups of them, see `onnxmem.graph.find_sites`.
        bind: values of inputs that are fixed for good.
        output_name: the only output that the tails compute; None: all of them.
        trial: how to run the cuts; None: only the graph is read.

    Raises:
        UsageError: no such file, output or kind, or inputs on which the model does not run.
        EnvironmentFailedError: onnxruntime refuses the whole model, or the device is not usable.
    """
    model = graph.load(path, dict(bind or {}))
    if output_name is not None:
        choose_output(model, output_name)
    check_kinds(kinds)
    found = graph.find_sites(model, kinds)
    sites, verified, notes = tuple(map(_described, found)), None, model.notes + told(found, kinds)
    if trial is None or not sites:
        with blames_bind(bind or {}):
            notes += require_runnable(model)
    if sites and trial is not None:
        with blames_bind(bind or {}):
            sites, verified = verify(model, sites, output_name, trial)
        notes += _about_samples(model, verified)
    else:
        cuttable = [site.tensor for site in sites if site.status == "ok"]
        needs = graph.all_needs(model, cuttable, output_name)
        sites = tuple(_with_crossing(model, site, needs, output_name) for site in sites)
        if left := len(cuttable) - len(needs):
            notes += (
                f"not told what crosses the last {left:,} of {len(cuttable):,} cuts, beside which "
                "too many tensors live",
            )
    return Inspection(
        schema=SCHEMA,
        model=model_info(path, model),
        inputs=model.inputs,
        outputs=model.outputs,
        notes=notes + (verified.notes if verified is not None else ()),
        verified=verified,
        sites=sites,
        other_activations=dict(graph.other_activations(model, {site.kind for site in found})),
        nothing_found="" if sites else nothing_found(model, kinds),
    )


def _about_samples(model: graph.Model, verified: Verified) -> tuple[str, ...]:
    """Return what stands in the way of an audit, which takes samples along axis 0."""
    operators = graph.whole_batch(model)
    if operators:
        return (f"each output depends on the whole batch, by way of {', '.join(operators)}",)
    if verified.sample_axis == 0 or verified.samples < 2:
        return ()
    if verified.sample_axis is not None:
        return (
            f"samples lie along axis {verified.sample_axis} of the inputs; an audit needs them "
            "along axis 0",
        )
    return ("outputs for one sample depend on the others of its batch; an audit refuses that",)


def _described(site: graph.Site) -> Inspected:
    axis, shape = site.feature_axis, site.shape
    return Inspected(
        tensor=site.tensor,
        op=site.op,
        index=site.index,
        node=site.node,
        status=site.status,
        reason=site.reason,
        shape=site.sizes,
        feature_axis=axis % len(shape) if axis is not None and shape else axis,
        axis_from=site.axis_from,
        kind=site.kind,
        signed=site.signed,
    )


def _with_crossing(
    model: graph.Model,
    site: Inspected,
    needs: Mapping[str, graph.Needs | None],
    output: str | None,
) -> Inspected:
    if site.status != "ok" or site.tensor not in needs:
        return site
    if (found := needs.get(site.tensor)) is not None:
        return site.needing(found)
    try:
        return site.needing(graph.cut_needs(model, site.tensor, output))
    except UsageError as cause:
        return site.refused(str(cause))
