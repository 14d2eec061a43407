"""Whatever the network looks like, every cut of it joins again."""

from __future__ import annotations

import tempfile
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import onnx
from hypothesis import HealthCheck, given, settings

from onnxmem import graph

CHANNELS = 2


@st.composite
def networks(draw: st.DrawFn) -> onnx.ModelProto:
    """Draw an acyclic graph of Conv, Relu, Add and Concat (with a Conv back to few channels)."""
    helper = onnx.helper
    nodes, tensors = [], ["x"]
    for step in range(draw(st.integers(2, 9))):
        op = draw(st.sampled_from(["Conv", "Relu", "Add", "Concat"]))
        picked = [draw(st.sampled_from(tensors)) for _ in range(2)]
        name = f"t{step}"
        if op == "Conv":
            nodes.append(helper.make_node(op, [picked[0], "w"], [name], pads=[1] * 4))
        elif op == "Relu":
            nodes.append(helper.make_node(op, picked[:1], [name]))
        elif op == "Add":
            nodes.append(helper.make_node(op, picked, [name]))
        else:
            nodes.append(helper.make_node(op, picked, [f"{name}_joined"], axis=1))
            nodes.append(helper.make_node("Conv", [f"{name}_joined", "v"], [name]))
        tensors.append(name)
    nodes.append(helper.make_node("Relu", [tensors[-1]], ["last"]))
    nodes.append(helper.make_node("Conv", ["last", "w"], ["y"]))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    weights = {"w": (CHANNELS, CHANNELS, 3, 3), "v": (CHANNELS, 2 * CHANNELS, 1, 1)}
    return helper.make_model(
        helper.make_graph(
            nodes,
            "network",
            [helper.make_tensor_value_info("x", 1, ["N", CHANNELS, 4, 4])],
            [helper.make_tensor_value_info("y", 1, None)],
            [
                onnx.numpy_helper.from_array((rng.normal(size=s) / 4).astype(np.float32), name)
                for name, s in weights.items()
            ],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )


@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(proto=networks())
def test_every_cut_of_a_random_network_joins_again(check_cut, draw, proto):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        onnx.save(proto, path)
        model = graph.load(path)
        sites = [site for site in graph.find_sites(model) if site.status == "ok"]
        assert sites[-1].tensor == "last"
        assert all(site.feature_axis in (1, None) for site in sites)
        for site in sites:
            check_cut(model, site.tensor, {"x": draw(2, CHANNELS, 4, 4)})
