"""Parts that load by themselves: types that the graph does not tell come from running the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from onnxmem import graph
from onnxmem.arrays import free_memory
from onnxmem.cache.scratch import scratch_folder
from onnxmem.data import Column
from onnxmem.errors import DeviceError, UsageError
from onnxmem.hazards import see
from onnxmem.inspecting.feeds import find_inputs
from onnxmem.network.network import require_room
from onnxmem.runtime import Session, select_device

MOST_NODES = 10_000
"""Above so many nodes onnxruntime takes longer to compile a model than it takes to inspect it."""


def require_runnable(model: graph.Model) -> tuple[str, ...]:
    """Check that onnxruntime takes the whole model, where onnxruntime is installed.

    Weights are read from where they are, so their size does not matter; a model of more than
    `MOST_NODES` nodes is not tried, since compiling it grows faster than the model. Half precision
    is widened first, as it is wherever a model runs on the CPU.

    Returns:
        A note where it was not tried.

    Raises:
        ModelRefusedError: it does not.
        OutOfMemoryError: it makes a tensor that this machine does not hold.
    """
    try:
        device = select_device("cpu")
    except DeviceError:
        return ()
    if (count := sum(1 for _ in model.ir.graph.all_nodes())) > MOST_NODES:
        return (
            f"not tried whether onnxruntime takes the model, which has {count:,} nodes; "
            "--verify tries it",
        )
    model = graph.widen(model)
    require_room(model, free_memory(on_device=False) // 2)
    with scratch_folder() as folder:
        lean = graph.share_weights(model, folder)
        Session(graph.expose(lean, []), device, exact=True, prepack=False)
    return ()


def with_known_types(
    model: graph.Model,
    part: graph.Part,
    arrays: Mapping[str, Column] | None = None,
) -> graph.Part:
    """Return a part of `model` whose inputs and outputs all have an element type and a rank.

    Where the graph does not tell, the model runs once on the CPU.

    Args:
        model: the model.
        part: made from it.
        arrays: samples to run it on; None: random ones.

    Raises:
        UsageError: the model does not run on these inputs, or a sequence is among the tensors.
        EnvironmentFailedError: onnxruntime is missing or refuses the model.
    """
    inputs = {spec.name for spec in model.inputs}
    wanted = sorted(set(graph.untyped(part)) - inputs)
    if not wanted:
        return part
    device = select_device("cpu")
    require_room(model, free_memory(on_device=False) // 2)
    exposed = graph.expose(model, _made_inside(model, wanted))
    session = Session(exposed, device, exact=True, prepack=False)
    feeds = find_inputs(model, arrays, device).batch(model)
    found = zip(wanted, session.run(feeds, wanted), strict=True)
    return graph.with_types(part, {name: _type_of(name, value) for name, value in found})


def _made_inside(model: graph.Model, tensors: Sequence[str]) -> list[str]:
    """Return those tensors that are no outputs of the model yet."""
    outputs = {spec.name for spec in model.outputs}
    return [name for name in tensors if name not in outputs]


def _type_of(name: str, value: Any) -> tuple[str, tuple[None, ...]]:
    if not hasattr(value, "dtype"):
        raise UsageError(
            f"{name!r} is no tensor but a sequence; the model cannot be cut there{see('outputs')}"
        )
    return np.dtype(value.dtype).name, (None,) * value.ndim
