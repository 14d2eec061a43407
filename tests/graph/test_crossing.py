"""What many cuts need at once is what each needs alone, in networks of any form."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import onnx
import pytest

from onnxmem import graph
from onnxmem.errors import UsageError


def network(seed: int) -> onnx.ModelProto:
    """Return a graph of additions and ReLUs between any tensors, with constants and chance."""
    helper, rng = onnx.helper, random.Random(seed)
    tensors, nodes = ["x", "z", "w"], []
    for step in range(rng.randrange(3, 18)):
        op = rng.choice(["Add", "Add", "Relu", "Relu", "Neg", "Split", "RandomNormal"])
        if op == "RandomNormal" and rng.random() < 0.7:
            op = "Relu"
        count = {"Add": 2, "RandomNormal": 0}.get(op, 1)
        inputs = [rng.choice(tensors[-6:] if rng.random() < 0.8 else tensors) for _ in range(count)]
        outputs = [f"t{step}", f"u{step}"] if op == "Split" else [f"t{step}"]
        more = {"shape": [2, 4]} if op == "RandomNormal" else {"axis": 0} if op == "Split" else {}
        nodes.append(helper.make_node(op, inputs, outputs, **more))
        tensors += outputs
    ends = {tensors[-1], *rng.sample(tensors[3:], min(2, len(tensors) - 3))}
    info = helper.make_tensor_value_info
    return helper.make_model(
        helper.make_graph(
            nodes,
            "network",
            [info("x", 1, [2, 4]), info("z", 1, [2, 4])],
            [info(name, 1, None) for name in sorted(ends)],
            [helper.make_tensor("w", 1, [2, 4], [1.0] * 8)],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )


@pytest.mark.parametrize("first", range(0, 300, 50))
def test_all_at_once_are_what_each_is_alone(first: int) -> None:
    for seed in range(first, first + 50):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "network.onnx"
            onnx.save(network(seed), path)
            model = graph.load(path)
        made = [v.name for node in model.flow.nodes for v in node.outputs if v.name]
        for output in (None, model.outputs[0].name):
            found = graph.all_needs(model, made, output)
            for tensor in made:
                assert found[tensor] == alone(model, tensor, output), (seed, tensor, output)


def alone(model: graph.Model, tensor: str, output: str | None) -> graph.Needs | None:
    try:
        return graph.cut_needs(model, tensor, output)
    except UsageError:
        return None


def test_the_last_tensors_are_left_out_where_too_much_lives_beside_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = "".join(f" r{i} = Relu(r{i - 1})" for i in range(1, 20))
    ends = ", ".join(f"r{i}" for i in range(20))
    text = f"""<ir_version: 8, opset_import: ["": 17]> g (float[n,4] x) => (float[n,80] y)
        {{ r0 = Relu(x){nodes} y = Concat<axis = 1>({ends}) }}"""
    onnx.save(onnx.parser.parse_model(text), tmp_path / "m.onnx")
    model = graph.load(tmp_path / "m.onnx")
    tensors = [f"r{i}" for i in range(20)]
    whole = graph.all_needs(model, tensors)
    monkeypatch.setattr("onnxmem.graph.crossing.MOST_LOOKED_AT", 50)
    few = graph.all_needs(model, tensors)
    assert 0 < len(few) < len(whole) == 20
    assert few == {tensor: whole[tensor] for tensor in few}
