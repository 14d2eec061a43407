"""Small networks written as text, and the check that every cut must pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from onnxmem import graph

Feeds = Mapping[str, np.ndarray]
MICROSOFT = {"com.microsoft": 1}


def model_proto(
    text: str,
    *,
    opset: int = 17,
    ir_version: int = 8,
    domains: Mapping[str, int] = {},
    **weights: Any,
) -> onnx.ModelProto:
    """Parse a graph; `weights` are arrays, or shapes of float32 weights to draw."""
    imports = ", ".join(f'"{name}": {version}' for name, version in {"": opset, **domains}.items())
    proto = onnx.parser.parse_model(
        f"<ir_version: {ir_version}, opset_import: [{imports}]> network {text}"
    )
    rng = np.random.default_rng(7)
    for name, content in weights.items():
        array = (
            (rng.normal(size=content) / np.sqrt(np.prod(content[1:]) or 1)).astype(np.float32)
            if isinstance(content, tuple)
            else np.asarray(content)
        )
        proto.graph.initializer.append(onnx.numpy_helper.from_array(array, name))
    return proto


@pytest.fixture
def network(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes the network in a text to a file."""

    def write(text: str, *, name: str = "network.onnx", **options: Any) -> Path:
        path = tmp_path / name
        onnx.save(model_proto(text, **options), path)
        return path

    return write


def session(model: bytes | str, weights: Path | None = None, *, optimised: bool = False) -> Any:
    """Open a session on the CPU, with all optimisations or none."""
    ort = pytest.importorskip("onnxruntime")
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    level = ort.GraphOptimizationLevel
    options.graph_optimization_level = level.ORT_ENABLE_ALL if optimised else level.ORT_DISABLE_ALL
    if weights is not None:
        key = "session.model_external_initializers_file_folder_path"
        options.add_session_config_entry(key, str(weights))
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def run_part(part: graph.Part, feeds: Feeds, *, optimised: bool = False) -> dict[str, np.ndarray]:
    """Run `part` on those of `feeds` that it reads."""
    opened = session(part.proto, part.weights, optimised=optimised)
    results = opened.run(None, {name: feeds[name] for name in part.inputs})
    return dict(zip(part.outputs, results, strict=True))


def typed(part: graph.Part, feeds: Feeds) -> graph.Part:
    """Type the inputs of `part` from captured arrays, exactly."""
    types = {name: (str(feeds[name].dtype), feeds[name].shape) for name in part.inputs}
    return graph.with_input_types(part, types)


def through_cut(
    model: graph.Model,
    tensor: str,
    feeds: Feeds,
    *,
    output: str | None = None,
    optimised: bool = False,
) -> tuple[graph.Cut, dict[str, np.ndarray]]:
    """Run head, then tail; return the cut and the outputs under the model's own names."""
    cut = graph.split(model, tensor, output)
    captured = {**feeds, **run_part(cut.head, feeds, optimised=optimised)}
    assert cut.head.outputs == (tensor, *cut.crossing)
    assert cut.tail.inputs == (tensor, *cut.crossing, *cut.direct)
    results = run_part(typed(cut.tail, captured), captured, optimised=optimised)
    return cut, dict(zip(cut.outputs, results.values(), strict=True))


@pytest.fixture
def check_cut() -> Callable[..., graph.Cut]:
    """Return the check: head and tail together are the model, exactly or to rounding."""

    def check(source: Path | graph.Model, tensor: str, feeds: Feeds, **options: Any) -> graph.Cut:
        model = source if isinstance(source, graph.Model) else graph.load(source)
        opened = session(str(model.path))
        names = [output.name for output in opened.get_outputs()]
        original = dict(zip(names, opened.run(None, dict(feeds)), strict=True))
        cut, results = through_cut(model, tensor, feeds, **options)
        for name, result in results.items():
            np.testing.assert_array_equal(result, original[name])
        whole = run_part(graph.expose(model, []), feeds, optimised=True)
        _, results = through_cut(model, tensor, feeds, optimised=True, **options)
        for name, result in results.items():
            scale = np.abs(whole[name]).max()
            np.testing.assert_allclose(result, whole[name], rtol=0, atol=1e-4 * scale)
        return cut

    return check


@pytest.fixture
def draw() -> Callable[..., np.ndarray]:
    """Return a function that draws a float32 array of the given sizes, the same every time."""

    def normal(*shape: int) -> np.ndarray:
        return np.random.default_rng(3).normal(size=shape).astype(np.float32)

    return normal


@pytest.fixture
def run() -> Callable[..., dict[str, np.ndarray]]:
    """Return the function that runs a part."""
    return run_part


@pytest.fixture
def proto() -> Callable[..., onnx.ModelProto]:
    """Return the function that parses a network."""
    return model_proto
