"""What `split` and `expose` write is plain ONNX: checked, run and joined without this package."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxmem.models as models
import pytest
from text_networks import run, store_outside, write, write_residual, write_untyped

from onnxmem import graph

Command = Callable[..., Any]

DOCUMENT = Path(__file__).parents[2] / "docs" / "cut.md"

OUTPUT_ITSELF = """(float[N,8] x) => (float[N,8] p, float[N,8] y) {
    a = MatMul(x, w1)  p = Relu(a)  y = MatMul(p, w1)
}"""


@pytest.fixture
def join(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, np.ndarray]]:
    """Return the function that joins the parts in a folder by the documented script."""
    (script,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    assert "import onnxmem" not in script
    place = tmp_path_factory.mktemp("join")
    (place / "join.py").write_text(script, "utf-8")

    def joined(folder: Path, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        np.savez(place / "in.npz", **feeds)
        arguments = [place / "join.py", folder, place / "in.npz", place / "out.npz"]
        subprocess.run([sys.executable, *map(str, arguments)], check=True)
        return dict(np.load(place / "out.npz"))

    return joined


def draw(path: Path) -> dict[str, np.ndarray]:
    """Draw three samples for a model of one input."""
    (info,) = onnx.load(path, load_external_data=False).graph.input
    width = [dim.dim_value for dim in info.type.tensor_type.shape.dim][1:]
    return {info.name: np.random.default_rng(5).normal(size=(3, *width)).astype(np.float32)}


def make(kind: str, folder: Path) -> tuple[Path, str]:
    """Write a network and return it with a tensor to cut at."""
    path = folder / "net.onnx"
    if kind == "residual":
        return write_residual(path), "r2"
    if kind == "untyped":
        return write_untyped(path), "r"
    if kind == "output itself":
        return write(path, OUTPUT_ITSELF, w1=(8, 8)), "p"
    if kind == "external":
        (folder / "model").mkdir()
        return store_outside(write_residual(path), folder / "model" / "net.onnx"), "r2"
    return models.network("mnist1d-mlp-p00").path, "/relu2/Relu_output_0"


@pytest.mark.parametrize("kind", ["residual", "untyped", "output itself", "external", "shipped"])
def test_parts_join_to_the_model_without_this_package(
    command: Command, folder: Path, join: Callable[..., dict[str, np.ndarray]], kind: str
) -> None:
    path, tensor = make(kind, folder)
    assert command("split", path, "--at", tensor, "-o", "cut").code == 0
    moved = (folder / "cut").rename(folder / "moved")
    for name in ("head.onnx", "tail.onnx"):
        onnx.checker.check_model(str(moved / name), full_check=kind != "untyped")
    feeds = draw(path)
    expected = run(path, feeds)
    results = join(moved, feeds)
    assert results.keys() == expected.keys()
    for name, value in results.items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["residual", "external"])
def test_only_an_external_model_gives_external_parts(
    command: Command, folder: Path, kind: str
) -> None:
    path, tensor = make(kind, folder)
    if kind == "external":
        widen(path)
    command("split", path, "--at", tensor, "-o", "cut")
    names = {item.name for item in (folder / "cut").iterdir()}
    beside = {"head.onnx.data"} if kind == "external" else set()  # the tail's are small
    assert names == {"head.onnx", "tail.onnx", "cut.json"} | beside
    for name in beside:
        part = onnx.load(folder / "cut" / name.removesuffix(".data"), load_external_data=False)
        places = {
            entry.value
            for tensor in part.graph.initializer
            for entry in tensor.external_data
            if entry.key == "location"
        }
        assert places == {name}


def widen(path: Path) -> None:
    """Give the residual network weights that are large enough to stay outside."""
    text = onnx.load(path)
    for tensor in text.graph.initializer:
        rows, columns = tensor.dims
        wide = np.ones((32 if rows == 8 else rows, 32 if columns == 8 else columns), np.float32)
        tensor.CopyFrom(onnx.numpy_helper.from_array(wide, tensor.name))
    text.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 32
    onnx.save_model(text, path, save_as_external_data=True, location="wide.data", size_threshold=0)


def test_weights_of_the_model_are_never_written_over(command: Command, folder: Path) -> None:
    path, _ = make("external", folder)
    weights = path.with_name("net.data")
    before = weights.read_bytes()
    np.savez(folder / "d.npz", x=np.ones((40, 8), np.float32), y=np.arange(40) % 2)
    for arguments in (
        ("expose", path, "-o", weights),
        ("inspect", path, "--json", weights),
        ("audit", path, "--data", "d.npz", "--html", weights),
        ("compare", path, path, "--data", "d.npz", "--json", weights),
    ):
        outcome = command(*arguments)
        assert outcome.code == 2
        assert "net.data" in outcome.error
        assert weights.read_bytes() == before


def test_a_full_disk_leaves_nothing_behind(command: Command, folder: Path) -> None:
    resource = pytest.importorskip("resource")
    shipped = models.network("mnist-cnn-p00").path
    tensor = graph.find_sites(graph.load(shipped))[0].tensor
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        exposed = command("expose", shipped, "-o", "out.onnx")
        cut = command("split", shipped, "--at", tensor, "-o", "cut")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    for outcome in (exposed, cut):
        assert outcome.code == 2
        assert "cannot write" in outcome.error
    assert not list(folder.iterdir())
