"""`onnxmem inspect`: every site in a table and as JSON, and codes that a script can use."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import text_networks
from onnx import numpy_helper
from sample_networks import Sample, run

Command = Callable[..., Any]

RANDOM = """(float[N,8] x) => (float[N,8] y) {
    a = MatMul(x, w)  r = Relu(a)  noise = RandomNormalLike(r)  y = Add(r, noise)
}"""


def read(folder: Path) -> dict[str, Any]:
    """Return what was written to `i.json`."""
    values: dict[str, Any] = json.loads((folder / "i.json").read_text("utf-8"))
    assert values["schema"] == "onnxmem.inspect/1"
    return values


def test_the_graph_alone_tells_sites_and_crossing_tensors(
    command: Command, cnn: Sample, folder: Path
) -> None:
    outcome = command("inspect", cnn.path, "--json", "i.json")
    assert outcome.code == 0
    values = read(folder)
    assert values["verified"] is None
    assert [site["tensor"] for site in values["sites"]] == ["stem", "inner", "joined"]
    inner = values["sites"][1]
    assert (inner["op"], inner["status"], inner["reason"]) == ("Relu", "ok", "")
    assert (inner["feature_axis"], inner["crossing"]) == (1, ["stem"])
    assert inner["shape"] == [None, 6, 6, 6]
    assert inner["batch_axis"] is None and inner["relative_error"] is None
    for name in ("stem", "inner", "joined", "Relu"):
        assert name in outcome.out


@pytest.mark.parametrize("options", [(), ("--exact",), ("--device", "cpu")])
def test_verify_runs_every_cut_on_random_inputs(
    command: Command, cnn: Sample, folder: Path, options: tuple[str, ...]
) -> None:
    outcome = command("inspect", cnn.path, "--verify", "--json", "i.json", *options)
    assert outcome.code == 0, outcome.err
    values = read(folder)
    assert values["verified"]["random"] is True
    for site in values["sites"]:
        assert site["status"] == "ok"
        assert site["batch_axis"] == 0
        assert 0 <= site["relative_error"] <= 1e-4
    assert values["sites"][1]["crossing_bytes"] == values["sites"][1]["tensor_bytes"] == 6 * 36 * 4


def test_verify_runs_on_the_given_samples(command: Command, mlp: Sample, folder: Path) -> None:
    outcome = command("inspect", mlp.path, "--verify", "--data", mlp.data, "--json", "i.json")
    assert outcome.code == 0, outcome.err
    assert read(folder)["verified"]["random"] is False


def record(folder: Path, sample: Sample, *, rows: slice, error: float = 0.0) -> None:
    """Write a test case: samples, and what the network makes of them but for an error."""
    folder.mkdir(parents=True)
    logits = run(onnx.load(sample.path), x=sample.x[rows]) + np.float32(error)
    for name, array in (("input_0", sample.x[rows]), ("output_0", logits)):
        (folder / f"{name}.pb").write_bytes(numpy_helper.from_array(array).SerializeToString())


def test_verify_runs_on_recorded_test_cases(command: Command, cnn: Sample, folder: Path) -> None:
    record(folder / "cases" / "test_data_set_0", cnn, rows=slice(0, 1))
    record(folder / "cases" / "test_data_set_1", cnn, rows=slice(3, 20))
    outcome = command("inspect", cnn.path, "--verify", "--data", "cases", "--json", "i.json")
    assert outcome.code == 0, outcome.err
    assert "gives the outputs that were recorded (2 test cases" in outcome.err
    verified = read(folder)["verified"]
    assert (verified["samples"], verified["random"]) == (18, False)
    assert [(one["outputs"], one["agrees"]) for one in verified["recorded"]] == [(1, True)] * 2
    assert all(0 <= site["relative_error"] <= 1e-4 for site in read(folder)["sites"])


def test_model_that_does_not_give_what_was_recorded(
    command: Command, mlp: Sample, folder: Path
) -> None:
    record(folder / "case", mlp, rows=slice(0, 4), error=0.5)
    outcome = command("inspect", mlp.path, "--verify", "--data", "case", "--json", "i.json")
    assert outcome.code == 3
    assert "differ from those recorded in case" in outcome.err
    assert [site["status"] for site in read(folder)["sites"]] == ["ok", "ok"]


def test_recorded_input_of_the_wrong_kind(command: Command, mlp: Sample, folder: Path) -> None:
    record(folder / "case", mlp, rows=slice(0, 4))
    tensor = numpy_helper.from_array(np.ones((4, 10), np.int64))
    (folder / "case" / "input_0.pb").write_bytes(tensor.SerializeToString())
    outcome = command("inspect", mlp.path, "--verify", "--data", "case")
    assert outcome.code == 2
    assert "takes float32, the test case has int64" in outcome.error


def test_verify_says_how_the_samples_were_made_to_fit(
    command: Command, cnn: Sample, folder: Path
) -> None:
    last = text_networks.channels_last(cnn.path, folder / "last.onnx")
    outcome = command("inspect", last, "--verify", "--data", cnn.data, "--json", "i.json")
    assert outcome.code == 0, outcome.err
    assert "input 'pixels': axis 1 moved to the end" in read(folder)["notes"][-1]


def test_json_on_stdout_is_all_there_is(command: Command, mlp: Sample) -> None:
    outcome = command("inspect", mlp.path, "--json", "-")
    assert len(json.loads(outcome.out)["sites"]) == 2
    assert not outcome.new_files


def test_the_same_json_every_time(command: Command, cnn: Sample) -> None:
    first, second = (command("inspect", cnn.path, "--verify", "--json", "-").out for _ in range(2))
    assert first == second


def test_a_cut_that_fails_its_self_check(command: Command, folder: Path) -> None:
    model = text_networks.write(folder / "net.onnx", RANDOM, w=(8, 8))
    assert command("inspect", model).code == 0
    outcome = command("inspect", model, "--verify", "--json", "i.json")
    assert outcome.code == 3
    (site,) = read(folder)["sites"]
    assert site["status"] == "unsupported"
    assert "self-check" in site["reason"]
    assert site["relative_error"] > 1e-4


def test_a_relu_in_a_body_says_what_to_bind(command: Command, folder: Path) -> None:
    model = text_networks.write(folder / "net.onnx", text_networks.IN_A_BODY, w1=(8, 8))
    assert command("inspect", model, "--verify", "--json", "i.json").code == 0
    assert [site["status"] for site in read(folder)["sites"]] == ["ok", "unsupported"]
    assert "--bind" in read(folder)["sites"][1]["reason"]
    assert command("inspect", model, "--bind", "flag=1", "--json", "i.json").code == 0
    assert [site["status"] for site in read(folder)["sites"]] == ["ok", "ok"]


def test_without_relu_the_activations_are_named(command: Command, folder: Path) -> None:
    text = "(float[N,8] x) => (float[N,8] y) { y = Tanh(x) }"
    model = text_networks.write(folder / "net.onnx", text)
    outcome = command("inspect", model, "--verify", "--json", "i.json")
    assert outcome.code == 3
    assert outcome.err.count("\n") == 1 and "Tanh (1)" in outcome.err
    assert read(folder)["other_activations"] == {"Tanh": 1}
    assert read(folder)["sites"] == []


def test_other_kinds_of_activations_on_request(command: Command, folder: Path) -> None:
    text = "(float[N,8] x) => (float[N,8] y) { a = MatMul(x, w)  s = Sigmoid(a)  y = Neg(s) }"
    model = text_networks.write(folder / "net.onnx", text, w=(8, 8))
    assert command("inspect", model, "--kind", "relu").code == 3
    for options in (("--kind", "relu,sigmoid"), ("--kind", "any"), ()):
        outcome = command("inspect", model, *options, "--verify", "--json", "i.json")
        assert outcome.code == 0, outcome.err
        (site,) = read(folder)["sites"]
        assert (site["tensor"], site["kind"], site["signed"]) == ("s", "sigmoid", False)
    assert read(folder)["notes"][0] == "no ReLU; analyzed are 1 Sigmoid"
    assert read(folder)["other_activations"] == {}


def test_names_of_others_stay_harmless_in_the_table(command: Command, folder: Path) -> None:
    text = "(float[N,8] x) => (float[N,8] y) { a = MatMul(x, w)  r = Relu(a)  y = Neg(r) }"
    model = text_networks.write(folder / "net.onnx", text, w=(8, 8))
    evil = "[red]\x1b[31m\u202e"
    proto = onnx.load(model)
    proto.graph.node[1].output[0] = proto.graph.node[2].input[0] = evil
    onnx.save(proto, model)
    outcome = command("inspect", model, "--verify")
    assert outcome.code == 0, outcome.err
    assert "[red]\\x1b" in outcome.out
    assert "\x1b" not in outcome.out and "\u202e" not in outcome.out


def test_a_model_that_random_inputs_cannot_run_asks_for_data(
    command: Command, folder: Path
) -> None:
    text = "(float[N,L] x) => (float[N,4] y) { a = MatMul(x, w)  r = Relu(a)  y = Neg(r) }"
    model = text_networks.write(folder / "net.onnx", text, w=(50, 4))
    assert command("inspect", model).code == 0
    outcome = command("inspect", model, "--verify")
    assert outcome.code == 2
    assert "--data" in outcome.error
    np.savez(folder / "d.npz", x=np.ones((4, 50), np.float32))
    assert command("inspect", model, "--verify", "--data", "d.npz").code == 0


def test_a_model_that_onnxruntime_refuses(command: Command, folder: Path) -> None:
    text = "(float[N,8] x) => (float[N,8] y) { r = Relu(x)  y = mine.Thing(r) }"
    model = text_networks.write(folder / "net.onnx", text, domains={"mine": 1})
    outcome = command("inspect", model, "--verify")
    assert outcome.code == 4
    assert "mine:Thing" in outcome.error


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--data", "d.npz"), "--verify"),
        (("--verify", "--data", "no.npz"), "no.npz"),
        (("--kind", "gelo"), "gelo"),
        (("--kind", "auto,tanh"), "stands alone"),
        (("--output-name", "no"), "'no'"),
        (("--bind", "no=1"), "'no'"),
        (("--verify", "--device", "tpu"), "tpu"),
        (("--json", "missing/i.json"), "missing/i.json"),
    ],
)
def test_what_cannot_be_is_refused(
    command: Command, mlp: Sample, options: tuple[str, ...], word: str
) -> None:
    outcome = command("inspect", mlp.path, *options)
    assert outcome.code == 2
    assert word in outcome.error


def test_a_model_that_is_not_there(command: Command) -> None:
    outcome = command("inspect", "nowhere.onnx", "--json", "i.json")
    assert outcome.code == 2
    assert "nowhere.onnx" in outcome.error
