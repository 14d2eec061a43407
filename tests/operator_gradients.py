"""The check that every rule must pass: its gradient is what differences say."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from doubled import Movable
from onnx import helper, numpy_helper

from onnxmem import graph
from onnxmem.gradients import Gradients
from onnxmem.gradients.registry import rule_of
from onnxmem.runtime import CPU, Device

HERE = Device(CPU, 0, "for tests")
DIRECTIONS = 4
TOLERANCE = {False: 2e-5, True: 2e-3}
"""By whether differences are coarse; of the largest gradient."""


def apart(*shape: int, seed: int = 0, gap: float = 0.13) -> np.ndarray:
    """Draw numbers around zero that keep their distance from each other and from whole numbers."""
    size = int(np.prod(shape))
    places = np.random.default_rng(seed).permutation(size) - size // 2
    values = places * gap + 0.0371
    return values.reshape(shape).astype(np.float32)


def positive(*shape: int, seed: int = 0) -> np.ndarray:
    """Draw numbers above 0.1 that keep their distance from each other."""
    return np.asarray(np.abs(apart(*shape, seed=seed)) + np.float32(0.15))


def check_operator(
    op: str,
    *inputs: np.ndarray | None,
    wrt: Sequence[int] | None = None,
    opset: int = 17,
    domain: str = "",
    outputs: int = 1,
    coarse: bool = False,
    **attributes: Any,
) -> None:
    """Check the rule of an operator on inputs; None leaves one out, whole numbers are constants.

    Args:
        op: the operator.
        inputs: what it reads.
        wrt: the inputs whose gradients are checked; by default all that can have one.
        opset: its version.
        domain: its operator set.
        outputs: how many outputs it has.
        coarse: hold it against differences of onnxruntime's results.
        attributes: of the node.
    """
    if not domain and opset > onnx.defs.onnx_opset_version():
        pytest.skip(f"onnx {onnx.__version__} has no opset {opset}")
    names = ["" if one is None else f"x{at}" for at, one in enumerate(inputs)]
    made = [f"y{at}" for at in range(outputs)]
    fed = {
        name: one
        for name, one in zip(names, inputs, strict=True)
        if one is not None and one.dtype.kind == "f"
    }
    proto = model_of(
        [helper.make_node(op, names, made, domain=domain, **attributes)],
        fed,
        made,
        {n: x for n, x in zip(names, inputs, strict=True) if x is not None and n not in fed},
        opset=opset,
        domains=[domain],
    )
    rule = rule_of(graph.Operator(op, opset, domain))
    assert rule is not None
    able = [
        name
        for at, name in enumerate(names)
        if name in fed and (rule.inputs is None or at in rule.inputs)
    ]
    chosen = able if wrt is None else [names[at] for at in wrt]
    given = made if rule.outputs is None else [made[at] for at in rule.outputs]
    check_network(proto, fed, chosen, given, coarse=coarse)


def model_of(
    nodes: Sequence[onnx.NodeProto],
    feeds: Mapping[str, np.ndarray],
    outputs: Sequence[str],
    weights: Mapping[str, np.ndarray] = {},
    *,
    opset: int = 17,
    domains: Sequence[str] = (),
) -> onnx.ModelProto:
    """Put nodes together to a model that takes arrays like `feeds`."""
    opsets = {"": opset} | {domain: 1 for domain in domains if domain}
    return helper.make_model(
        helper.make_graph(
            list(nodes),
            "network",
            [
                helper.make_tensor_value_info(
                    name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
                )
                for name, array in feeds.items()
            ],
            [helper.make_empty_tensor_value_info(name) for name in outputs],
            [numpy_helper.from_array(np.asarray(array), name) for name, array in weights.items()],
        ),
        opset_imports=[helper.make_opsetid(*one) for one in opsets.items()],
        ir_version=8,
    )


def check_network(
    proto: onnx.ModelProto,
    feeds: Mapping[str, np.ndarray],
    wrt: Sequence[str],
    outputs: Sequence[str],
    *,
    coarse: bool = False,
) -> None:
    """Check the gradients of a network with respect to tensors against differences."""
    gradients = Gradients(loaded(proto), HERE, outputs, wrt=wrt)
    forward = gradients.run(feeds)
    rng = np.random.default_rng(1)
    seeds = [rng.normal(size=one.shape).astype(one.dtype) for one in forward.outputs]
    backward = forward.backward(*seeds)
    movable = Movable(proto, outputs, wrt, coarse=coarse)
    for ours, theirs in zip(forward.outputs, movable.run(feeds), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    for name in wrt:
        gradient = backward.arrays[name]
        assert gradient.dtype == np.float32 or gradient.dtype == np.float64
        scale = max(np.abs(gradient).max(initial=0), 0.1) * np.sqrt(max(gradient.size, 1))
        for _ in range(DIRECTIONS):
            direction = rng.normal(size=gradient.shape)
            expected = movable.derivative(feeds, name, direction, _with_rows(seeds)).sum()
            found = (gradient.astype(np.float64) * direction).sum()
            assert abs(found - expected) <= TOLERANCE[coarse] * scale, (name, found, expected)


def loaded(proto: onnx.ModelProto) -> graph.Model:
    """Return a model as the package loads it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        onnx.save(proto, path)
        return graph.load(path)


def _with_rows(seeds: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [seed.reshape(1, -1) if seed.ndim == 0 else seed for seed in seeds]
