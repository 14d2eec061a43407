"""Weights are shared between parts, and files are written whole or not at all."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from onnxmem import graph
from onnxmem.errors import OutputError

NETWORK = """(float[N,40] x) => (float[N,40] y) {
    a = MatMul(x, w1)
    r1 = Relu(a)
    b = MatMul(r1, w2)
    r2 = Relu(b)
    t = If(flag) <
        then_branch = yes () => (float[N,40] p) { p = MatMul(r2, w1) },
        else_branch = no () => (float[N,40] q) { q = MatMul(r1, w2) }
    >
    z = Add(t, bias)
    y = Tanh(z)
}"""


@pytest.fixture
def model(network):
    """Return a network whose weights take 6,400 bytes each, with one branch left open."""
    text = NETWORK.replace("(float[N,40] x)", "(float[N,40] x, bool flag)")
    return graph.load(network(text, w1=(40, 40), w2=(40, 40), bias=(40,)))


@pytest.fixture
def feeds(draw):
    """Return inputs for it."""
    return {"x": draw(2, 40), "flag": np.array(True)}


def test_parts_of_a_model_with_shared_weights_are_small_and_join(
    model, feeds, tmp_path, check_cut, run
):
    whole = run(graph.expose(model, []), feeds)
    folder = tmp_path / "shared"
    shared = graph.share_weights(model, folder)
    assert [file.name for file in folder.iterdir()] == ["weights.bin"]
    assert (folder / "weights.bin").stat().st_size == 2 * 6400
    for tensor in ("r1", "r2"):
        cut = check_cut(shared, tensor, feeds)
        for part in (cut.head, cut.tail):
            assert part.weights == folder and len(part.proto) < 2000
    np.testing.assert_array_equal(run(graph.expose(shared, []), feeds)["y"], whole["y"])


def test_the_model_that_shares_its_weights_is_left_as_it_was(model, tmp_path):
    before = graph.expose(model, ["r1"]).proto
    graph.share_weights(model, tmp_path / "shared")
    assert model.weights is None
    assert graph.expose(model, ["r1"]).proto == before


def test_external_data_are_shared_as_they_are(model, tmp_path, network):
    path = tmp_path / "outside" / "network.onnx"
    path.parent.mkdir()
    onnx.save_model(
        onnx.load(model.path), path, save_as_external_data=True, location="network.data"
    )
    loaded = graph.load(path)
    assert graph.share_weights(loaded, tmp_path / "shared") is loaded
    assert not (tmp_path / "shared").exists()
    assert graph.split(loaded, "r1").tail.weights == path.parent


def test_a_model_with_external_data_can_be_saved_elsewhere(model, tmp_path, feeds, run):
    path = tmp_path / "outside" / "network.onnx"
    path.parent.mkdir()
    onnx.save_model(
        onnx.load(model.path), path, save_as_external_data=True, location="network.data"
    )
    moved = tmp_path / "moved" / "network.onnx"
    moved.parent.mkdir()
    graph.save(graph.load(path), moved)
    path.with_name("network.data").unlink()
    result, expected = (run(graph.expose(m, []), feeds)["y"] for m in (graph.load(moved), model))
    np.testing.assert_array_equal(result, expected)


def test_shared_weights_are_aligned_to_their_elements(network, tmp_path):
    path = network(
        "(float[N,40] x) => (float[] y) { a = MatMul(x, w) b = Cast<to=1>(odd) y = Add(a, b) }",
        name="mixed.onnx", w=(40, 1025), odd=np.ones(1025, np.int8),
    )  # fmt: skip
    shared = graph.share_weights(graph.load(path), tmp_path / "shared")
    proto = onnx.ModelProto.FromString(graph.expose(shared, []).proto)
    sizes = {"w": 4, "odd": 1}
    for tensor in proto.graph.initializer:
        entries = {entry.key: entry.value for entry in tensor.external_data}
        assert int(entries["offset"]) % sizes[tensor.name] == 0
    assert len(proto.graph.initializer) == 2


def test_the_same_model_shares_the_same_bytes(model, tmp_path):
    one, two = (graph.share_weights(model, tmp_path / name) for name in ("one", "two"))
    assert (tmp_path / "one/weights.bin").read_bytes() == (
        tmp_path / "two/weights.bin"
    ).read_bytes()
    assert graph.split(one, "r1").tail.proto == graph.split(two, "r1").tail.proto


def test_a_saved_part_holds_its_weights(model, tmp_path, feeds, run):
    part = graph.expose(model, ["r1"])
    path = tmp_path / "exposed.onnx"
    graph.save(part, path)
    onnx.checker.check_model(str(path), full_check=True)
    assert path.read_bytes() == part.proto
    assert [file.name for file in tmp_path.iterdir() if "exposed" in file.name] == ["exposed.onnx"]


def test_a_saved_part_of_an_external_model_has_its_own_external_data(model, tmp_path, feeds, run):
    shared = graph.share_weights(model, tmp_path / "shared")
    part = graph.expose(shared, ["r1"])
    path = tmp_path / "saved" / "exposed.onnx"
    path.parent.mkdir()
    graph.save(part, path)
    assert sorted(file.name for file in path.parent.iterdir()) == [
        "exposed.onnx",
        "exposed.onnx.data",
    ]
    again = graph.load(path)
    expected, result = run(part, feeds), run(graph.expose(again, []), feeds)
    for name in expected:
        np.testing.assert_array_equal(result[name], expected[name])


def test_a_saved_model_can_be_loaded_again(model, tmp_path, feeds, run):
    path = tmp_path / "again.onnx"
    graph.save(model, path)
    again = graph.load(path)
    assert graph.find_sites(again) == graph.find_sites(model)
    result, expected = (run(graph.expose(m, []), feeds)["y"] for m in (again, model))
    np.testing.assert_array_equal(result, expected)


def test_what_cannot_be_written_leaves_nothing_behind(model, tmp_path):
    target = tmp_path / "taken.onnx"
    target.mkdir()
    with pytest.raises(OutputError, match=r"cannot write .*taken\.onnx"):
        graph.save(graph.expose(model, []), target)
    with pytest.raises(OutputError, match="cannot write"):
        graph.save(graph.expose(model, []), tmp_path / "no" / "such.onnx")
    blocked = tmp_path / "blocked"
    blocked.write_bytes(b"")
    with pytest.raises(OutputError, match="cannot write the weights"):
        graph.share_weights(model, blocked)
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "blocked",
        "network.onnx",
        "taken.onnx",
    ]


def test_types_of_inputs_can_be_given(model, feeds):
    cut = graph.split(model, "r2")
    part = graph.with_input_types(
        cut.tail, {"r2": ("float32", (None, 40)), "r1": ("float64", None)}
    )
    inputs = {
        info.name: info.type.tensor_type
        for info in onnx.ModelProto.FromString(part.proto).graph.input
    }
    assert [dim.dim_value for dim in inputs["r2"].shape.dim] == [0, 40]
    assert inputs["r1"].elem_type == onnx.TensorProto.DOUBLE
    assert not inputs["r1"].HasField("shape")
    assert part.inputs == cut.tail.inputs
