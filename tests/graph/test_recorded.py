"""Test cases beside a model: their order, their names, and what is no test case."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from onnxmem import graph
from onnxmem.errors import DataError


def save(folder: Path, kind: str, arrays: Sequence[np.ndarray], names: Sequence[str] = ()) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, array in enumerate(arrays):
        name = names[number] if names else ""
        tensor = numpy_helper.from_array(array, name)
        (folder / f"{kind}_{number}.pb").write_bytes(tensor.SerializeToString())


@pytest.fixture
def model(tmp_path: Path) -> graph.Model:
    """Give a model with the inputs a and b, and the output c."""
    inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n", 2]) for n in "ab"]
    output = helper.make_tensor_value_info("c", TensorProto.FLOAT, ["n", 2])
    nodes = [helper.make_node("Add", ["a", "b"], ["s"]), helper.make_node("Relu", ["s"], ["c"])]
    onnx.save(
        helper.make_model(helper.make_graph(nodes, "g", inputs, [output]), ir_version=8),
        tmp_path / "model.onnx",
    )
    return graph.load(tmp_path / "model.onnx")


A, B = np.ones((3, 2), np.float32), np.zeros((3, 2), np.float32)


def test_tensors_belong_to_inputs_in_their_order(model: graph.Model, tmp_path: Path) -> None:
    save(tmp_path / "case", "input", [A, B], ["b", "a"])
    save(tmp_path / "case", "output", [A + B])
    recorded = graph.load_recorded(tmp_path / "case", model)
    np.testing.assert_array_equal(recorded.inputs["a"], A)
    np.testing.assert_array_equal(recorded.outputs["c"], A)


def test_surplus_tensors_are_told_apart_by_their_names(model: graph.Model, tmp_path: Path) -> None:
    save(tmp_path / "case", "input", [B, B, A], ["weight", "b", "a"])
    recorded = graph.load_recorded(tmp_path / "case", model)
    np.testing.assert_array_equal(recorded.inputs["a"], A)
    assert recorded.outputs == {}


def test_folders_are_counted_not_sorted_as_text(tmp_path: Path) -> None:
    for number in (10, 2, 0):
        save(tmp_path / f"test_data_set_{number}", "input", [A])
    (tmp_path / "test_data_set_old").mkdir()
    assert [f.name for f in graph.recorded_folders(tmp_path)] == [
        f"test_data_set_{number}" for number in (0, 2, 10)
    ]
    one = tmp_path / "test_data_set_2"
    assert graph.recorded_folders(one) == (one,)
    assert graph.recorded_folders(tmp_path / "nowhere") == ()


def test_missing_inputs_are_refused(model: graph.Model, tmp_path: Path) -> None:
    save(tmp_path / "case", "input", [A])
    with pytest.raises(DataError, match=r"1 inputs, .* takes 2: a, b"):
        graph.load_recorded(tmp_path / "case", model)


@pytest.mark.parametrize("content", [b"no tensor at all", b"", b"\xff" * 30])
def test_file_that_is_no_tensor_is_refused(
    model: graph.Model, tmp_path: Path, content: bytes
) -> None:
    save(tmp_path / "case", "input", [A, B])
    (tmp_path / "case" / "input_1.pb").write_bytes(content)
    with pytest.raises(DataError, match=r"input_1\.pb holds no dense tensor"):
        graph.load_recorded(tmp_path / "case", model)


def test_tensor_that_points_to_another_file_is_not_followed(
    model: graph.Model, tmp_path: Path
) -> None:
    save(tmp_path / "case", "input", [A, B])
    tensor = TensorProto(data_type=TensorProto.FLOAT, dims=[3, 2])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/hostname")
    (tmp_path / "case" / "input_0.pb").write_bytes(tensor.SerializeToString())
    with pytest.raises(DataError, match="another file"):
        graph.load_recorded(tmp_path / "case", model)
