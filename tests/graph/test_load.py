"""Loading: what a model says of itself, and every way in which a file can be wrong."""

from __future__ import annotations

import hashlib

import numpy as np
import onnx
import pytest

from onnxmem import graph
from onnxmem.errors import ModelFileError

NETWORK = "(float[N,4] x) => (float[N,600] y) { h = MatMul(x, w) y = Relu(h) }"
WEIGHTS = {"w": (4, 600)}


@pytest.fixture
def external(network, tmp_path):
    """Return the path of a model whose weights are in another file."""
    proto = onnx.load(network(NETWORK, **WEIGHTS))
    path = tmp_path / "outside" / "network.onnx"
    path.parent.mkdir()
    onnx.save_model(
        proto,
        path,
        save_as_external_data=True,
        location="network.data",
        size_threshold=0,
    )
    return path


def relocate(path, location):
    proto = onnx.load(path, load_external_data=False)
    for entry in proto.graph.initializer[0].external_data:
        if entry.key == "location":
            entry.value = location
    path.write_bytes(proto.SerializeToString())


def test_a_model_tells_where_it_is_from(network):
    path = network(NETWORK, opset=15, ir_version=7, **WEIGHTS)
    proto = onnx.load(path)
    proto.producer_name, proto.producer_version = "exporter", "2.1"
    onnx.save(proto, path)
    model = graph.load(str(path))
    assert (model.path, model.ir_version, model.opset) == (path, 7, 15)
    assert model.producer == "exporter 2.1"
    assert model.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert model.inputs == (graph.TensorSpec("x", "float32", ("N", 4)),)
    assert model.outputs == (graph.TensorSpec("y", "float32", ("N", 600)),)
    assert model.weights is None and model.notes == ()


@pytest.mark.parametrize(
    ("onnx_type", "dtype"),
    [("double", "float64"), ("bool", "bool"), ("float16", "float16"), ("uint8", "uint8"),
     ("string", "str"), ("bfloat16", "bfloat16")],
)  # fmt: skip
def test_element_types_have_numpy_names(network, onnx_type, dtype):
    model = graph.load(network(f"({onnx_type}[N] x) => ({onnx_type}[N] y) {{ y = Identity(x) }}"))
    assert model.inputs[0].dtype == dtype


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelFileError, match=r"cannot read the model .*gone\.onnx: \w"):
        graph.load(tmp_path / "gone.onnx")


def test_a_folder_is_no_model(tmp_path):
    with pytest.raises(ModelFileError, match="cannot read the model"):
        graph.load(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04 certainly a zip file", "is a zip archive, not an ONNX model"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "is a Git LFS pointer"),
        (b"<!DOCTYPE html><html><body>", "is a web page"),
        (b"\x08\x08", "has no graph and no opset and no graph output"),
        (b"hello world, this is text\n" * 9, "not .*ONNX model"),
    ],
)
def test_what_is_no_model_is_refused(tmp_path, content, words):
    path = tmp_path / "network.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=words):
        graph.load(path)


def test_a_model_truncated_anywhere_is_refused(network):
    path = network(NETWORK, **WEIGHTS)
    content = path.read_bytes()
    for length in np.linspace(1, len(content) - 1, 23).astype(int):
        path.write_bytes(content[:length])
        with pytest.raises(ModelFileError):
            graph.load(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "(float[N] x) => (float[N] y) { y = Add(x, nowhere) }",
            "reads 'nowhere', which nothing",
        ),
        (
            "(float[N] x) => (float[N] y) { y = Relu(x) y = Tanh(x) }",
            "two results have the name 'y'",
        ),
    ],
)
def test_a_model_that_contradicts_itself_is_refused(network, text, words):
    with pytest.raises(ModelFileError, match=words):
        graph.load(network(text))


def test_sparse_initializers_are_refused(network):
    path = network(NETWORK, **WEIGHTS)
    proto = onnx.load(path)
    sparse = proto.graph.sparse_initializer.add()
    sparse.dims.append(4)
    onnx.save(proto, path)
    with pytest.raises(ModelFileError, match="holds sparse tensors"):
        graph.load(path)


def test_map_inputs_are_refused_in_one_line(network):
    path = network(NETWORK, **WEIGHTS)
    proto = onnx.load(path)
    proto.graph.input[0].type.map_type.key_type = 7
    onnx.save(proto, path)
    with pytest.raises(ModelFileError) as caught:
        graph.load(path)
    assert "\n" not in str(caught.value)


def test_external_data_stay_outside_and_count_for_the_hash(external):
    model = graph.load(external)
    assert model.weights == external.parent
    both = external.read_bytes() + external.with_name("network.data").read_bytes()
    assert model.sha256 == hashlib.sha256(both).hexdigest()


@pytest.mark.parametrize(
    "location", ["../network.data", "/etc/passwd", "deeper/../../network.data"]
)
def test_external_data_outside_the_folder_are_refused(external, location):
    external.parent.joinpath("deeper").mkdir()
    (external.parent.parent / "network.data").write_bytes(bytes(9600))
    relocate(external, location)
    with pytest.raises(ModelFileError, match="outside its own folder"):
        graph.load(external)


def test_a_link_out_of_the_folder_is_refused(external):
    data = external.with_name("network.data")
    moved = data.rename(external.parent.parent / "elsewhere.data")
    data.symlink_to(moved)
    with pytest.raises(ModelFileError, match="outside its own folder"):
        graph.load(external)


def test_missing_and_truncated_external_data_are_told_apart(external):
    data = external.with_name("network.data")
    data.write_bytes(data.read_bytes()[:-1])
    with pytest.raises(ModelFileError, match=r"network\.data .* is truncated at tensor 'w'"):
        graph.load(external)
    data.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 9600\n")
    with pytest.raises(ModelFileError, match=r"network\.data .* Git LFS pointer; .*git lfs pull"):
        graph.load(external)
    data.unlink()
    with pytest.raises(ModelFileError, match=r"network\.data .* is missing"):
        graph.load(external)


def test_a_file_beyond_two_gibibytes_is_refused_unread(tmp_path):
    path = tmp_path / "huge.onnx"
    with path.open("wb") as stream:
        stream.truncate(2**31 + 1)
    with pytest.raises(ModelFileError, match="larger than 2 GiB"):
        graph.load(path)


def test_shapes_that_are_kept_outside_are_read(network, tmp_path, run, draw):
    proto = onnx.load(
        network(
            "(float[N,4] x) => (float[N,2,300] y) "
            "{ h = MatMul(x, w) r = Relu(h) y = Reshape(r, shape) }",
            w=(4, 600), shape=np.array([-1, 2, 300]),
        )
    )  # fmt: skip
    path = tmp_path / "apart" / "network.onnx"
    path.parent.mkdir()
    onnx.save_model(proto, path, save_as_external_data=True, location="w.data", size_threshold=0)
    content = path.with_name("w.data").read_bytes()
    model = graph.load(path)
    assert model.weights == path.parent
    assert model.sha256 == hashlib.sha256(path.read_bytes() + content).hexdigest()
    cut = graph.split(model, "r")
    captured = run(cut.head, {"x": draw(3, 4)})
    assert run(cut.tail, captured)["y"].shape == (3, 2, 300)
    path.with_name("w.data").write_bytes(b"")
    with pytest.raises(ModelFileError, match="truncated"):
        graph.load(path)


def test_sizes_below_zero_are_open(network):
    path = network("(float[1,4] x) => (float[1,4] y) { y = Relu(x) }")
    proto = onnx.load(path)
    for info in (*proto.graph.input, *proto.graph.output):
        info.type.tensor_type.shape.dim[0].dim_value = -1
    onnx.save(proto, path)
    model = graph.load(path)
    assert model.inputs[0].shape == (None, 4)
    assert not isinstance((model.outputs[0].shape or (0,))[0], int)
    assert graph.native_batch(model) is None
