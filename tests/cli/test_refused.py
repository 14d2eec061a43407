"""Networks that cannot be audited: one line, exit code 3, and every file that was asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import text_networks
from junitparser import JUnitXml
from sample_networks import Sample

from onnxmem.report import load

Command = Callable[..., Any]

FORMATS = ("json", "html", "markdown", "junit", "sarif")
QUICK = ("--ranks", "1,2", "--compress", "nmf", "--batch", "mixed")
SARIF = Path(__file__).parents[1] / "report" / "data" / "sarif-2.1.0.json"

HEAD = "(float[N,10] x) => (float[N,4] y) { h = MatMul(x, w)  r = Relu(h)"
NETWORKS = {
    "no site": (
        "(float[N,10] x) => (float[N,4] y) { h = MatMul(x, w)  y = Tanh(h) }",
        "no activation",
    ),
    "samples mixed": (f"{HEAD}  m = MatMul(r, v)  y = Softmax<axis=0>(m) }}", "independently"),
    "not finite": (f"{HEAD}  l = Log(r)  y = MatMul(l, v) }}", "NaN or infinite"),
    "at random": (
        f"{HEAD}  n = RandomNormalLike(r)  y = MatMul(n, v) }}",
        "something else in every run",
    ),
    "no classifier": (
        "(float[N,10] x) => (float y) { h = MatMul(x, w)  r = Relu(h)"
        "  y = ReduceSum<keepdims=0>(r) }",
        "a classifier gives",
    ),
}
SITES = {"no site": 0}
two_kinds = pytest.mark.parametrize("kind", ["no site", "samples mixed"], indirect=True)
"""Enough where the reason plays no part: a network of which nothing ran, and one that ran."""


@pytest.fixture(params=NETWORKS)
def kind(request: pytest.FixtureRequest) -> str:
    """Give the name of each network in turn."""
    name: str = request.param
    return name


@pytest.fixture
def network(kind: str, folder: Path) -> Path:
    """Give the path of a network that cannot be audited."""
    text, _ = NETWORKS[kind]
    return text_networks.write(folder / "net.onnx", text, w=(10, 8), v=(8, 4))


class Page(HTMLParser):
    """The text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = ""
        self.feed(text)

    def handle_data(self, data: str) -> None:
        """Collect."""
        self.text += data


def check_formats(folder: Path, words: str, sites: int) -> None:
    """Check that the file of each format is valid and says why."""
    values = json.loads((folder / "r.json").read_text("utf-8"))
    schema = json.loads((files("onnxmem.report") / "schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(values)
    assert (values["verdict"], values["baseline"]["value"]) == ("inconclusive", None)
    assert words in values["reason"]
    assert [layer["status"] for layer in values["layers"]] == ["skipped"] * sites
    assert [gate["passed"] for gate in values["gates"]] == [None]
    assert load(folder / "r.json").to_dict() == values

    for name in ("html", "markdown"):
        text = Page((folder / f"r.{name}").read_text("utf-8")).text
        assert "verdict: inconclusive" in text and words in text and "not measurable" in text

    (suite,) = JUnitXml.fromfile(str(folder / "r.junit"))
    assert (suite.skipped, suite.failures, suite.errors) == (sites + 2, 0, 0)
    *_, last = suite
    assert last.name == "net.onnx" and words in last.result[0].message

    log = json.loads((folder / "r.sarif").read_text("utf-8"))
    jsonschema.Draft7Validator(json.loads(SARIF.read_text("utf-8"))).validate(log)
    (run,) = log["runs"]
    (invocation,) = run["invocations"]
    assert (run["results"], invocation["executionSuccessful"]) == ([], False)
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["level"] == "error" and words in notification["message"]["text"]


@pytest.mark.parametrize("quiet", [(), ("-q",)])
def test_one_line_the_code_and_every_file(
    command: Command, folder: Path, mlp: Sample, network: Path, kind: str, quiet: tuple[str, ...]
) -> None:
    outputs = [part for name in FORMATS for part in (f"--{name}", f"r.{name}")]
    gate = ("--fail-under", "nmf.mixed=0.5", "--exit-zero")
    outcome = command("audit", "net.onnx", "--data", mlp.data, *QUICK, *gate, *outputs, *quiet)
    words = NETWORKS[kind][1]
    assert (outcome.code, outcome.out) == (3, "")
    (line,) = outcome.err.splitlines()
    assert line.startswith("onnxmem: error: ") and words in line
    assert outcome.new_files == tuple(sorted(f"r.{name}" for name in FORMATS))
    check_formats(folder, words, SITES.get(kind, 1))


@two_kinds
@pytest.mark.parametrize("name", FORMATS)
def test_a_report_on_stdout_is_alone_there(
    command: Command, folder: Path, mlp: Sample, network: Path, name: str
) -> None:
    outcome = command("audit", "net.onnx", "--data", mlp.data, *QUICK, f"--{name}", "-")
    assert outcome.code == 3
    assert "inconclusive" in outcome.out and len(outcome.err.splitlines()) == 1
    assert not outcome.new_files


def test_a_stored_report_is_turned_into_every_format(
    command: Command, folder: Path, mlp: Sample, network: Path, kind: str
) -> None:
    gate = ("--fail-under", "nmf.mixed=0.5")
    command("audit", "net.onnx", "--data", mlp.data, *QUICK, *gate, "--json", "r.json", "-q")
    outputs = [part for name in FORMATS[1:] for part in (f"--{name}", f"r.{name}")]
    outcome = command("report", "r.json", *outputs, "--png", "r.png", "--svg", "r.svg", "-q")
    words = NETWORKS[kind][1]
    assert outcome.code == 3
    assert outcome.err.startswith("onnxmem: inconclusive: ") and words in outcome.err
    check_formats(folder, words, SITES.get(kind, 1))
    assert (folder / "r.png").read_bytes().startswith(b"\x89PNG")
    drawn = Page((folder / "r.svg").read_text("utf-8")).text  # in lines that join without a space
    assert "".join(words.split()) in "".join(drawn.split())
    shown = command("report", "r.json")
    said = " ".join(shown.out.split())
    assert shown.code == 3 and words in said
    assert "accuracy not measured" in said and "Gate nmf.mixed: not measurable" in said


@two_kinds
def test_models_that_can_be_audited_are_compared_all_the_same(
    command: Command, folder: Path, mlp: Sample, network: Path, kind: str
) -> None:
    outputs = [part for name in FORMATS for part in (f"--{name}", f"c.{name}")]
    models = (mlp.path, "net.onnx", mlp.path)
    outcome = command("compare", *models, "--data", mlp.data, *QUICK, *outputs, "-q")
    words = NETWORKS[kind][1]
    assert (outcome.code, outcome.out) == (3, "")
    (line,) = outcome.err.splitlines()
    assert line.startswith("onnxmem: error: net.onnx ") and words in line
    values = json.loads((folder / "c.json").read_text("utf-8"))
    schema = json.loads((files("onnxmem.report") / "comparison.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(values)
    one, refused, two = values["summary"]["nmf.mixed"]
    assert one["auc"] == two["auc"] is not None and refused["auc"] is None
    assert two["difference"] == 0 and two["apart"] is False
    assert [report["verdict"] for report in values["reports"]] == ["none", "inconclusive", "none"]
    for name in FORMATS:
        assert words in (folder / f"c.{name}").read_text("utf-8")
    assert command("report", "c.json", "--html", "d.html", "-q").code == 3


@two_kinds
def test_a_refused_report_among_stored_ones(
    command: Command, folder: Path, mlp: Sample, network: Path, kind: str
) -> None:
    for name, model in {"good": mlp.path, "bad": "net.onnx"}.items():
        command("audit", model, "--data", mlp.data, *QUICK, "--json", f"{name}.json", "-q")
    gates = ("--baseline", "good.json", "--max-drop", "0.1")
    outcome = command("compare", "good.json", "bad.json", *gates, "--json", "c.json")
    assert outcome.code == 3
    assert f"net.onnx was not measured: {load(folder / 'bad.json').reason[:20]}" in " ".join(
        outcome.out.split()
    )
    good, bad = json.loads((folder / "c.json").read_text("utf-8"))["reports"]
    assert (good["verdict"], [gate["passed"] for gate in good["gates"]]) == ("pass", [True])
    assert (bad["verdict"], [gate["passed"] for gate in bad["gates"]]) == ("inconclusive", [None])


@two_kinds
def test_what_measured_nothing_is_no_baseline(
    command: Command, folder: Path, mlp: Sample, network: Path
) -> None:
    command("audit", "net.onnx", "--data", mlp.data, *QUICK, "--json", "bad.json", "-q")
    gates = ("--baseline", "bad.json", "--max-drop", "0.1")
    outcome = command("audit", mlp.path, "--data", mlp.data, *QUICK, *gates, "--json", "r.json")
    assert outcome.code == 2
    assert "the baseline report measured nothing" in outcome.error


@two_kinds
def test_a_baseline_leaves_the_gates_of_a_refused_network_open(
    command: Command, folder: Path, mlp: Sample, network: Path
) -> None:
    command("audit", mlp.path, "--data", mlp.data, *QUICK, "--json", "good.json", "-q")
    gates = ("--baseline", "good.json", "--max-drop", "0.1", "--exit-zero")
    outcome = command("audit", "net.onnx", "--data", mlp.data, *QUICK, *gates, "--json", "r.json")
    assert outcome.code == 3
    found = json.loads((folder / "r.json").read_text("utf-8"))["gates"]
    assert [(gate["key"], gate["passed"]) for gate in found] == [("nmf.mixed:drop", None)]


def test_without_labels_the_first_model_that_classifies_groups_the_samples(
    command: Command, folder: Path, mlp: Sample
) -> None:
    text, words = NETWORKS["no classifier"]
    text_networks.write(folder / "net.onnx", text, w=(10, 8), v=(8, 4))
    np.savez(folder / "bare.npz", x=mlp.x)
    models = ("net.onnx", mlp.path, mlp.path)
    outcome = command("compare", *models, "--data", "bare.npz", *QUICK, "--json", "c.json", "-q")
    assert outcome.code == 3 and words in outcome.err
    reports = json.loads((folder / "c.json").read_text("utf-8"))["reports"]
    assert [report["baseline"]["value"] for report in reports] == [None, 1.0, 1.0]
    assert {report["baseline"]["metric"] for report in reports} == {"fidelity"}
    outcome = command("compare", "net.onnx", "net.onnx", "--data", "bare.npz", *QUICK, "-q")
    assert (outcome.code, len(outcome.err.splitlines())) == (3, 2)


@two_kinds
def test_an_unusable_call_writes_nothing_and_keeps_what_is_there(
    command: Command, folder: Path, mlp: Sample, network: Path
) -> None:
    (folder / "r.json").write_text("of an earlier run")
    outcome = command("audit", "net.onnx", "--data", "nowhere.npz", "--json", "r.json")
    assert outcome.code == 2
    assert (folder / "r.json").read_text() == "of an earlier run"


def test_the_same_call_gives_the_same_bytes(
    command: Command, folder: Path, mlp: Sample, network: Path
) -> None:
    for name in ("a.json", "b.json"):
        command("audit", "net.onnx", "--data", mlp.data, *QUICK, "--json", name, "-q")
    assert (folder / "a.json").read_bytes() == (folder / "b.json").read_bytes()
