"""Sessions: what they take, give, refuse, and never do."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from onnx import TensorProto, helper
from sample_networks import Sample, build, mlp_parts

from onnxmem.arrays import to_host
from onnxmem.errors import DeviceError, ModelRefusedError, OutOfMemoryError
from onnxmem.runtime import CPU, CUDA, Device, Session, TensorType, select_device
from onnxmem.runtime.session import _translated


@dataclass(frozen=True)
class Part:
    proto: bytes
    weights: Path | None = None
    source: str = "net.onnx"


@pytest.fixture
def session(mlp: Sample) -> Session:
    return Session(Part(mlp.path.read_bytes()), select_device("cpu"))


def test_inputs_and_outputs_are_described(session: Session) -> None:
    assert session.inputs == (TensorType("x", "float32", (None, 10)),)
    assert [output.name for output in session.outputs] == ["logits"]


def test_run_gives_the_wanted_outputs(session: Session, mlp: Sample) -> None:
    (logits,) = session.run({"x": mlp.x})
    (again,) = session.run({"x": mlp.x}, ["logits"])
    assert logits.shape == (len(mlp.y), 4)
    np.testing.assert_array_equal(logits, again)
    assert (logits.argmax(axis=1) == mlp.y).mean() > 0.9


def test_several_threads_may_run_one_session(session: Session, mlp: Sample) -> None:
    (expected,) = session.run({"x": mlp.x})
    with ThreadPoolExecutor(4) as pool:
        for (logits,) in pool.map(lambda _: session.run({"x": mlp.x}), range(20)):
            np.testing.assert_array_equal(logits, expected)


@pytest.mark.parametrize("exact", [True, False])
def test_exact_agrees_to_rounding(mlp: Sample, exact: bool) -> None:
    one = Session(Part(mlp.path.read_bytes()), select_device("cpu"), exact=exact)
    (logits,) = one.run({"x": mlp.x})
    assert np.isfinite(logits).all()


def test_wrong_shape_is_refused_in_one_line(session: Session, mlp: Sample) -> None:
    with pytest.raises(ModelRefusedError, match="fails while running") as failure:
        session.run({"x": mlp.x[:, :3]})
    assert "\n" not in str(failure.value)


def test_no_model_is_refused_without_the_path_of_a_source_file() -> None:
    with pytest.raises(ModelRefusedError, match=r"onnxruntime refuses net\.onnx") as failure:
        Session(Part(b"nonsense"), select_device("cpu"))
    assert "/onnxruntime_src/" not in str(failure.value)


def test_unknown_operator_is_named() -> None:
    nodes, weights = mlp_parts(10)
    nodes[-1] = helper.make_node("Thing", ["relu2"], ["features"], domain="my.own")
    model = build(nodes, weights, ["n", 10], "features", domain="my.own")
    with pytest.raises(ModelRefusedError, match="Thing") as failure:
        Session(Part(model.SerializeToString()), select_device("cpu"))
    assert "my.own" in str(failure.value)


def test_session_that_fell_back_is_an_error(mlp: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onnxmem.runtime.session._providers", lambda device: [CPU])
    with pytest.raises(DeviceError, match="would run on the CPU"):
        Session(Part(mlp.path.read_bytes()), Device(CUDA, 0, "asked for"))


@pytest.mark.parametrize(
    "cause",
    [
        MemoryError(),
        RuntimeError("std::bad_alloc"),
        RuntimeError("CUDA out of memory"),
        RuntimeError("CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED"),
    ],
)
def test_memory_that_runs_out_has_an_error_of_its_own(cause: Exception) -> None:
    with pytest.raises(OutOfMemoryError, match="smaller --per-class"), _translated("here"):
        raise cause


def test_interrupt_passes_through() -> None:
    with pytest.raises(KeyboardInterrupt), _translated("here"):
        raise KeyboardInterrupt


def test_telemetry_of_onnxruntime_stays_off(tmp_path: Path, mlp: Sample) -> None:
    code = (
        "import sys; from pathlib import Path; from types import SimpleNamespace as Part;"
        "from onnxmem.runtime import Session, select_device;"
        "part = Part(proto=Path(sys.argv[1]).read_bytes(), weights=None, source='it');"
        "Session(part, select_device('cpu'))"
    )
    folders = {name: str(tmp_path) for name in ("TMPDIR", "TEMP", "HOME", "XDG_CACHE_HOME")}
    environment = os.environ | folders
    del environment["ORT_DISABLE_TELEMETRY"]
    subprocess.run([sys.executable, "-c", code, str(mlp.path)], env=environment, check=True)
    assert not list(tmp_path.rglob("*"))


@pytest.mark.parametrize("start", [0, 1, 3])
def test_scalars_and_slices_reach_a_device_as_they_are(fake_gpu: ModuleType, start: int) -> None:
    shapes = {"x": ["n", 5], "scalar": [], "y": ["n", 5]}
    x, scalar, y = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in shapes.items()
    )
    node = helper.make_node("Add", ["x", "scalar"], ["y"])
    graph = helper.make_graph([node], "sum", [x, scalar], [y])
    opset = helper.make_opsetid("", 17)
    model = helper.make_model(graph, ir_version=8, opset_imports=[opset])
    device, values = select_device("cuda"), np.arange(20, dtype=np.float32).reshape(4, 5)
    feeds = {"x": fake_gpu.asarray(values)[start:], "scalar": fake_gpu.asarray(np.float32(2))}
    with device.scope():
        (found,) = Session(Part(model.SerializeToString()), device).run(feeds)
    np.testing.assert_array_equal(found.get(), values[start:] + 2)


@pytest.mark.parametrize("wanted", ["cpu", "cuda"])
def test_booleans_go_in_cross_and_come_out_as_booleans(fake_gpu: ModuleType, wanted: str) -> None:
    device = select_device(wanted)
    boolean = [
        helper.make_tensor_value_info(name, TensorProto.BOOL, ["n"]) for name in ("a", "b", "c")
    ]
    graph = helper.make_graph(
        [helper.make_node("And", ["a", "b"], ["c"])], "and", boolean[:2], boolean[2:]
    )
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    session = Session(Part(model.SerializeToString()), device)
    a, b = (device.namespace.asarray(np.array(one)) for one in ([True, True], [True, False]))
    with device.scope():
        (crossing,) = session.run({"a": a, "b": b})
        (found,) = session.run({"a": a, "b": crossing})
    assert (crossing.dtype, found.dtype) == (bool, bool)
    assert to_host(found).tolist() == [True, False]


@pytest.mark.gpu
def test_cuda_gives_what_the_cpu_gives(mlp: Sample) -> None:
    try:
        device = select_device("cuda")
    except DeviceError as error:
        pytest.skip(str(error))
    with device.scope():
        on_gpu = Session(Part(mlp.path.read_bytes()), device)
        (logits,) = on_gpu.run({"x": device.namespace.asarray(mlp.x)})
        on_cpu = Session(Part(mlp.path.read_bytes()), select_device("cpu"))
        np.testing.assert_allclose(logits.get(), on_cpu.run({"x": mlp.x})[0], atol=1e-4)
