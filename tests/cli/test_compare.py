"""`onnxmem compare`: models on the same batches, or reports as they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import numpy as np
import onnx
import pytest
import sample_networks
import text_networks
from onnx import numpy_helper
from sample_networks import Sample

from onnxmem.compression.curve import pack
from onnxmem.records import Layer, Report

Command = Callable[..., Any]

QUICK = ("--ranks", "1,2,4", "--compress", "nmf", "--per-class", "10", "--device", "cpu")


def test_models_are_measured_on_the_same_batches(
    command: Command, mlp: Sample, other: Path, folder: Path
) -> None:
    outcome = command("compare", mlp.path, other, "--data", mlp.data, *QUICK, "--json", "c.json")
    assert outcome.code == 0, outcome.err
    values = json.loads((folder / "c.json").read_text("utf-8"))
    assert values["schema"] == "onnxmem.compare/1"
    first, second = (Report.from_dict(one) for one in values["reports"])
    assert first.data == second.data
    assert [row["tensors"] for row in values["layers"]] == [["relu1"] * 2, ["relu2"] * 2]
    assert [row["width"] for row in values["layers"]] == [sample_networks.UNITS] * 2
    one, two = values["summary"]["nmf.mixed"]
    assert one["auc"] == first.summary["nmf.mixed"].auc
    assert one["difference"] is None
    assert two["difference"] == pytest.approx(two["auc"] - one["auc"], abs=1e-12)
    assert two["difference_low"] <= two["difference"] <= two["difference_high"]
    assert two["apart"] is (two["difference_low"] > 0 or two["difference_high"] < 0)
    assert "relu1" in outcome.out and "NMF, mixed" in outcome.out


def test_a_comparison_gives_what_the_audits_give(
    command: Command, mlp: Sample, other: Path, folder: Path
) -> None:
    for number, path in enumerate((mlp.path, other)):
        command("audit", path, "--data", mlp.data, *QUICK, "--json", f"{number}.json", "-q")
    command("compare", mlp.path, other, "--data", mlp.data, *QUICK, "--json", "models.json", "-q")
    command("compare", "0.json", "1.json", "--json", "reports.json", "-q")
    models, reports = (json.loads(Path(f"{n}.json").read_text()) for n in ("models", "reports"))
    for values in (models, reports):
        for one in values["reports"]:
            del one["timings"]
    assert models == reports
    schema = files("onnxmem.report") / "comparison.schema.json"
    jsonschema.Draft202012Validator(json.loads(schema.read_text("utf-8"))).validate(models)


def test_samples_without_labels_are_grouped_alike_for_all(
    command: Command, mlp: Sample, other: Path, folder: Path
) -> None:
    np.savez(folder / "bare.npz", x=mlp.x, split=np.repeat(["train", "held"], len(mlp.x) // 2))
    outcome = command("compare", mlp.path, other, "--data", "bare.npz", *QUICK, "--json", "-")
    assert outcome.code == 0, outcome.err
    comparison = json.loads(outcome.out)
    assert f"the predictions of {mlp.path.name} group" in comparison["notes"][0]
    first, second = (Report.from_dict(one) for one in comparison["reports"])
    assert first.data == second.data
    assert first.data.samples_given == len(mlp.x) // 2
    assert first.baseline.metric == second.baseline.metric == "fidelity"
    assert first.baseline.value == second.baseline.value == 1.0


def test_models_of_a_fixed_batch_size_without_labels(
    command: Command, mlp: Sample, folder: Path
) -> None:
    fixed = sample_networks.make_mlp(folder, batch=5)
    np.savez(folder / "bare.npz", x=mlp.x)
    outcome = command("compare", fixed.path, mlp.path, "--data", "bare.npz", *QUICK, "--json", "-")
    assert outcome.code == 0, outcome.err
    one, two = json.loads(outcome.out)["summary"]["nmf.mixed"]
    assert two["difference"] == pytest.approx(0, abs=1e-6)
    assert one["auc"] == pytest.approx(two["auc"])


def test_networks_of_other_depth_are_matched_by_width(
    command: Command, mlp: Sample, folder: Path
) -> None:
    text = "(float[N,10] x) => (float[N,4] y) { a = MatMul(x, w)  r = Relu(a)  y = MatMul(r, v) }"
    shallow = text_networks.write(folder / "net.onnx", text, w=(10, 12), v=(12, 4))
    np.savez(folder / "bare.npz", x=mlp.x)
    outcome = command("compare", mlp.path, shallow, "--data", "bare.npz", *QUICK, "--json", "-")
    rows = json.loads(outcome.out)["layers"]
    assert [row["tensors"] for row in rows] == [["relu1", "r"], ["relu2", None]]


def test_page_and_markdown_hold_both_models(command: Command, report: Report, folder: Path) -> None:
    report.to_json(folder / "a.json")
    changed = replace(report, model=replace(report.model, path="other.onnx"))
    changed.to_json(folder / "b.json")
    outputs = ("--html", "c.html", "--markdown", "c.md")
    outcome = command("compare", "a.json", "b.json", *outputs)
    assert outcome.code == 0, outcome.err
    assert outcome.new_files == ("c.html", "c.md")
    for name in ("c.html", "c.md"):
        text = (folder / name).read_text("utf-8")
        assert "mlp-n.onnx" in text and "other.onnx" in text


def test_stdout_holds_one_format_alone(command: Command, report: Report, folder: Path) -> None:
    report.to_json(folder / "a.json")
    outcome = command("compare", "a.json", "a.json", "--markdown", "-", "-q")
    assert outcome.out.startswith("## onnxmem: comparison\n")
    assert not outcome.err


@pytest.mark.parametrize(
    ("verdicts", "options", "code"),
    [
        (("none", "pass"), (), 0),
        (("none", "fail"), (), 1),
        (("fail", "pass"), ("--exit-zero",), 0),
        (("fail", "inconclusive"), (), 3),
        (("fail", "inconclusive"), ("--exit-zero",), 3),
    ],
)
def test_the_worst_verdict_gives_the_code(
    command: Command,
    report: Report,
    folder: Path,
    verdicts: tuple[Any, ...],
    options: tuple[str, ...],
    code: int,
) -> None:
    for name, verdict in zip("ab", verdicts, strict=True):
        replace(report, verdict=verdict).to_json(folder / f"{name}.json")
    outcome = command("compare", "a.json", "b.json", "-q", *options)
    assert outcome.code == code
    assert len(outcome.err.splitlines()) == sum(one in ("fail", "inconclusive") for one in verdicts)


def test_a_failed_gate_of_one_model(command: Command, mlp: Sample, other: Path) -> None:
    gate = ("--fail-under", "nmf.mixed=1")
    assert command("compare", mlp.path, other, "--data", mlp.data, *QUICK, *gate).code == 1


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda r: replace(r, data=replace(r.data, sha256="0" * 64)), "data"),
        (lambda r: replace(r, data=replace(r.data, classes=3)), "classes"),
        (lambda r: replace(r, settings=r.settings | {"ranks": "auto"}), "ranks"),
        (lambda r: replace(r, settings=r.settings | {"seed": 1}), "seed"),
        (lambda r: replace(r, baseline=replace(r.baseline, metric="fidelity")), "metric"),
    ],
)
def test_reports_of_different_things_are_not_compared(
    command: Command, report: Report, folder: Path, change: Callable[[Report], Report], word: str
) -> None:
    report.to_json(folder / "a.json")
    change(report).to_json(folder / "b.json")
    outcome = command("compare", "a.json", "b.json", "--html", "c.html")
    assert outcome.code == 2
    assert f": {word} differ" in outcome.error


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((), "two models"),
        (("a.json",), "two models"),
        (("a.json", "a.json", "--seed", "1"), "--seed"),
        (("a.json", "a.json", "--fail-under", "pca.mixed=1"), "has nmf.mixed"),
        (("a.json", "a.json", "--fail-under", "nmf.mixed=2"), "between 0 and 1"),
        (("a.json", "a.json", "--baseline", "a.json"), "--max-drop"),
        (("a.json", "a.json", "--max-drop", "0.1"), "--baseline"),
        (("a.json", "a.json", "--baseline", "a.json", "--max-drop", "nan"), "between 0 and 1"),
        (("a.json", "a.json", "--min-accuracy", "1"), "--min-accuracy"),
        (("a.json", "a.json", "--data", "d.npz"), "--data"),
        (("a.json", "net.onnx"), "each other"),
        (("net.onnx", "net.onnx"), "--data"),
        (("a.json", "nowhere.json"), "nowhere.json"),
        (("a.json", "a.json", "--html", "c", "--json", "./c"), "same place"),
        (("a.json", "a.json", "--html", "missing/c.html"), "missing/c.html"),
        (("a.json", "a.json", "--json", "./a.json"), "overwrite"),
    ],
)
def test_what_cannot_be_is_refused(
    command: Command, report: Report, folder: Path, arguments: tuple[str, ...], word: str
) -> None:
    report.to_json(folder / "a.json")
    outcome = command("compare", *arguments)
    assert outcome.code == 2
    assert word in outcome.error


def test_a_second_model_that_is_wrong_is_seen_at_once(
    command: Command, mlp: Sample, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onnxmem.comparing.together.run_audit", None)
    outcome = command("compare", mlp.path, "nowhere.onnx", "--data", mlp.data, *QUICK)
    assert outcome.code == 2
    assert "nowhere.onnx" in outcome.error


def test_a_setting_for_audits_does_not_forbid_to_compare_reports(
    command: Command, report: Report, folder: Path
) -> None:
    report.to_json(folder / "a.json")
    (folder / "onnxmem.toml").write_text("seed = 3\nper-class = 20\n")
    assert command("compare", "a.json", "a.json").code == 0


def test_a_model_that_takes_its_channels_last(command: Command, cnn: Sample, folder: Path) -> None:
    last = text_networks.channels_last(cnn.path, folder / "last.onnx")
    options = ("--data", cnn.data, *QUICK, "--json", "c.json")
    outcome = command("compare", cnn.path, last, *options)
    assert outcome.code == 0, outcome.err
    values = json.loads((folder / "c.json").read_text("utf-8"))
    assert "last.onnx: input 'pixels': axis 1 moved to the end" in values["notes"][-1]
    assert "axis 1 moved to the end" in " ".join(outcome.out.split())
    assert values["reports"][0]["data"]["sha256"] == values["reports"][1]["data"]["sha256"]
    assert values["reports"][0]["data"]["notes"] == []
    for row in values["layers"]:
        assert None not in row["tensors"]
        cell = row["scores"]["nmf.mixed"][1]
        assert cell["saturated"] or abs(cell["difference"]) < 0.01


def test_reports_of_models_with_other_axes_are_compared(
    command: Command, cnn: Sample, folder: Path
) -> None:
    last = text_networks.channels_last(cnn.path, folder / "last.onnx")
    for number, path in enumerate((cnn.path, last)):
        outcome = command("audit", path, "--data", cnn.data, *QUICK, "--json", f"{number}.json")
        said = "; input 'pixels': axis 1 moved" in " ".join(outcome.out.split())
        assert said is (path == last)
    outcome = command("compare", "0.json", "1.json", "--json", "-")
    cell = json.loads(outcome.out)["summary"]["nmf.mixed"][1]
    assert cell["apart"] is False


def test_models_with_arrays_of_their_own(command: Command, mlp: Sample, folder: Path) -> None:
    model = onnx.load(mlp.path)
    model.graph.input[0].name = "raw"
    model.graph.node.insert(0, onnx.helper.make_node("Mul", ["raw", "half"], ["x"]))
    model.graph.initializer.append(numpy_helper.from_array(np.float32(0.5), "half"))
    onnx.save(model, folder / "raw.onnx")
    np.savez(folder / "both.npz", x=mlp.x, raw=2 * mlp.x, y=mlp.y)
    outcome = command("compare", mlp.path, "raw.onnx", "--data", "both.npz", *QUICK, "--json", "-")
    assert outcome.code == 0, outcome.err
    values = json.loads(outcome.out)
    one, two = (report["data"] for report in values["reports"])
    assert one["sha256"] != two["sha256"]
    assert one["batches"] == two["batches"]
    first, second = values["summary"]["nmf.mixed"]
    assert second["auc"] == pytest.approx(first["auc"], abs=1e-6)


def test_an_input_of_another_name_takes_the_array_of_the_first_model(
    command: Command, mlp: Sample, folder: Path
) -> None:
    for name in ("one", "two"):
        model = onnx.load(mlp.path)
        model.graph.input[0].name = name
        for node in model.graph.node:
            node.input[:] = [name if one == "x" else one for one in node.input]
        onnx.save(model, folder / f"{name}.onnx")
    np.savez(folder / "named.npz", one=mlp.x, y=mlp.y)
    outcome = command("compare", "one.onnx", "two.onnx", "--data", "named.npz", *QUICK)
    assert outcome.code == 0, outcome.err
    assert "two.onnx: input 'two' took the array 'one' of the data" in " ".join(outcome.out.split())


def test_gates_hold_for_every_model(
    command: Command, mlp: Sample, other: Path, folder: Path
) -> None:
    shared = ("--data", mlp.data, *QUICK)
    command("audit", mlp.path, *shared, "--json", "old.json", "-q")
    gates = ("--baseline", "old.json", "--max-drop", "0.0", "--fail-under", "nmf.mixed=0")
    outputs = ("--junit", "c.xml", "--sarif", "c.sarif", "--json", "c.json")
    outcome = command("compare", mlp.path, other, *shared, *gates, *outputs)
    reports = json.loads((folder / "c.json").read_text("utf-8"))["reports"]
    keys = [[gate["key"] for gate in report["gates"]] for report in reports]
    expected = ["nmf.mixed"] + [
        f"{key}:drop" for key, score in reports[0]["summary"].items() if score["auc"] is not None
    ]
    assert keys[0] == expected
    assert outcome.code == max({"pass": 0, "fail": 1}[report["verdict"]] for report in reports)
    suites = ElementTree.parse(folder / "c.xml").getroot().findall("testsuite")
    assert [suite.get("name") for suite in suites] == ["onnxmem mlp-n.onnx", "onnxmem other.onnx"]
    runs = json.loads((folder / "c.sarif").read_text("utf-8"))["runs"]
    assert len(runs) == 2
    assert len({run["automationDetails"]["id"] for run in runs}) == 2


def test_the_baseline_is_not_overwritten(command: Command, mlp: Sample, report: Report) -> None:
    report.to_json("old.json")
    outcome = command(
        "compare", mlp.path, mlp.path, "--data", mlp.data, *QUICK, "--baseline", "old.json",
        "--max-drop", "0.1", "--json", "old.json",
    )  # fmt: skip
    assert outcome.code == 2
    assert "overwrite" in outcome.error


def test_an_output_of_one_model_alone(command: Command, mlp: Sample, folder: Path) -> None:
    model = onnx.load(mlp.path)
    name = model.graph.output[0].name
    model.graph.output.append(onnx.helper.make_tensor_value_info("relu1", 1, None))
    onnx.save(model, folder / "two.onnx")
    shared = ("--data", mlp.data, *QUICK)
    outcome = command("compare", "two.onnx", mlp.path, *shared, "--output-name", name)
    assert outcome.code == 0, outcome.err
    outcome = command("compare", "two.onnx", mlp.path, *shared, "--output-name", "nothing")
    assert outcome.code == 2
    assert "none of the models has an output 'nothing'" in outcome.err


def test_a_star_is_explained_where_there_is_one(
    command: Command, report: Report, folder: Path
) -> None:
    report.to_json(folder / "a.json")
    outcome = command("compare", "a.json", "a.json", "--markdown", "c.md")
    assert "*" not in outcome.out
    assert "leaves out 0" not in outcome.out + (folder / "c.md").read_text("utf-8")
    assert "keep the same accuracy" in " ".join(outcome.out.split())


def at_its_best(layer: Layer) -> Layer:
    """Return a layer whose curves lie at 1, for each of their samples."""
    curves = [
        replace(one, auc=1.0, sample_auc=pack(np.ones(sum(group.samples for group in one.groups))))
        for one in layer.curves
    ]
    return replace(layer, curves=tuple(curves))


@pytest.mark.parametrize(
    ("options", "verdict", "code"),
    [
        (("--fail-under", "nmf.mixed=1"), "fail", 1),
        (("--fail-under", "nmf.mixed=1", "--exit-zero"), "fail", 0),
        (("--fail-under", "nmf.mixed=0"), "pass", 0),
        (("--baseline", "better.json", "--max-drop", "0.01"), "fail", 1),
        (("--baseline", "a.json", "--max-drop", "0"), "pass", 0),
    ],
)
def test_stored_reports_pass_through_gates(
    command: Command,
    report: Report,
    folder: Path,
    options: tuple[str, ...],
    verdict: str,
    code: int,
) -> None:
    report.to_json(folder / "a.json")
    replace(report, layers=tuple(map(at_its_best, report.layers))).to_json(folder / "better.json")
    outcome = command("compare", "a.json", "a.json", *options, "--json", "c.json", "-q")
    assert outcome.code == code, outcome.err
    reports = json.loads((folder / "c.json").read_text("utf-8"))["reports"]
    assert [one["verdict"] for one in reports] == [verdict] * 2
    assert all(len(one["gates"]) == 1 for one in reports)


def test_gates_that_a_report_has_already_are_not_added(
    command: Command, mlp: Sample, folder: Path
) -> None:
    gate = ("--fail-under", "nmf.mixed=1")
    command("audit", mlp.path, "--data", mlp.data, *QUICK, *gate, "--json", "a.json", "-q")
    outcome = command("compare", "a.json", "a.json", *gate, "--json", "-")
    assert outcome.code == 1
    assert [len(one["gates"]) for one in json.loads(outcome.out)["reports"]] == [1, 1]
