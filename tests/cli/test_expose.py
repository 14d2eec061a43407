"""`onnxmem expose`: a valid model with more outputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import text_networks
from onnx import helper
from sample_networks import Sample

Command = Callable[..., Any]


def outputs(path: Path) -> list[str]:
    """Return the names of the outputs of a valid model."""
    onnx.checker.check_model(path, full_check=True)
    return [info.name for info in onnx.load(path, load_external_data=False).graph.output]


def test_every_relu_becomes_an_output(command: Command, cnn: Sample, folder: Path) -> None:
    outcome = command("expose", cnn.path, "-o", "out.onnx")
    assert outcome.code == 0, outcome.err
    assert (outcome.out, outcome.new_files) == ("", ("out.onnx",))
    assert outputs(folder / "out.onnx") == ["logits", "stem", "inner", "joined"]
    results = text_networks.run(folder / "out.onnx", {"x": cnn.x})
    np.testing.assert_array_equal(
        results["logits"], text_networks.run(cnn.path, {"x": cnn.x})["logits"]
    )
    assert results["stem"].shape == (len(cnn.x), 6, 6, 6)
    assert results["joined"].min() == 0


def test_only_the_layers_that_match(command: Command, cnn: Sample, folder: Path) -> None:
    options = ("--layers", "in*", "--layers", "stem", "-q")
    outcome = command("expose", cnn.path, "-o", "out.onnx", *options)
    assert (outcome.code, outcome.err) == (0, "")
    assert outputs(folder / "out.onnx") == ["logits", "stem", "inner"]


def test_what_cannot_be_exposed_is_left_out_aloud(command: Command, folder: Path) -> None:
    model = text_networks.write(folder / "net.onnx", text_networks.IN_A_BODY, w1=(8, 8))
    outcome = command("expose", model, "-o", "out.onnx")
    assert outcome.code == 0
    assert "left out p: inside a body of If" in outcome.err
    assert outputs(folder / "out.onnx") == ["y", "r1"]


def test_a_bound_condition_exposes_its_branch(command: Command, folder: Path) -> None:
    model = text_networks.write(folder / "net.onnx", text_networks.IN_A_BODY, w1=(8, 8))
    assert command("expose", model, "-o", "out.onnx", "--bind", "flag=1").code == 0
    assert outputs(folder / "out.onnx") == ["y", "r1", "p"]


def test_tensors_whose_type_the_file_does_not_tell(command: Command, folder: Path) -> None:
    model = text_networks.write_untyped(folder / "net.onnx")
    assert command("expose", model, "-o", "out.onnx").code == 0
    assert outputs(folder / "out.onnx") == ["y", "r"]


def test_weights_outside_of_the_model_stay_outside(
    command: Command, folder: Path, cnn: Sample
) -> None:
    model = text_networks.store_outside(cnn.path, folder / "net.onnx")
    outcome = command("expose", model, "-o", "out.onnx")
    assert outcome.new_files == ("out.onnx", "out.onnx.data")
    (folder / "net.data").unlink()
    assert "stem" in text_networks.run(folder / "out.onnx", {"x": cnn.x})


def test_weights_of_the_model_itself_are_not_replaced(
    command: Command, folder: Path, cnn: Sample
) -> None:
    model = text_networks.store_outside(cnn.path, folder / "out.onnx.onnx")
    assert (folder / "out.onnx.data").stat().st_size > 1000
    outcome = command("expose", model, "-o", "out.onnx")
    assert outcome.code == 2
    assert "out.onnx.data is there already" in outcome.error


def test_a_model_without_relu_names_its_activations(command: Command, folder: Path) -> None:
    model = text_networks.write(
        folder / "net.onnx", "(float[N,8] x) => (float[N,8] y) { y = Tanh(x) }"
    )
    outcome = command("expose", model, "-o", "out.onnx")
    assert outcome.code == 3
    assert "Tanh (1)" in outcome.error


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("-o", "-"), "stdout"),
        (("-o", "missing/out.onnx"), "missing/out.onnx"),
        (("-o", "."), "folder"),
        (("-o", "out.onnx", "--layers", "none*"), "none*"),
        (("-o", "out.onnx", "--bind", "nothing=1"), "nothing"),
        ((), "-o"),
    ],
)
def test_what_cannot_be_is_refused(
    command: Command, mlp: Sample, options: tuple[str, ...], word: str
) -> None:
    outcome = command("expose", mlp.path, *options)
    assert outcome.code == 2
    assert word in outcome.error


def test_the_model_itself_is_not_overwritten(command: Command, folder: Path) -> None:
    model = text_networks.write_residual(folder / "net.onnx")
    before = model.read_bytes()
    outcome = command("expose", model, "-o", "./net.onnx")
    assert outcome.code == 2
    assert "overwrite" in outcome.error
    assert model.read_bytes() == before


def test_an_older_file_survives_a_failure(command: Command, folder: Path) -> None:
    (folder / "out.onnx").write_text("older")
    broken = helper.make_model(helper.make_graph([], "empty", [], []))
    onnx.save(broken, folder / "net.onnx")
    assert command("expose", "net.onnx", "-o", "out.onnx").code == 2
    assert (folder / "out.onnx").read_text() == "older"
