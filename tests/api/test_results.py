"""Results show themselves: in one line, in a sentence, as a table, as a chart, in a notebook."""

from __future__ import annotations

import importlib
import inspect
import typing
from collections.abc import Callable
from typing import Any, Literal

import locate_reports
import numpy as np
import onnx
import pytest
import survey_reports
import track_reports
from sample_networks import Sample

import onnxmem
from onnxmem.auditing import Settings
from onnxmem.compression.settings import BATCHES, METRICS
from onnxmem.errors import ModelFileError, UsageError
from onnxmem.factorize import COMPRESSORS, DEFAULT_COMPRESSORS
from onnxmem.network.features import Pool

QUICK: dict[str, Any] = {"compress": ["nmf"], "batch": ["mixed"], "ranks": [1, 4]}
Results = dict[str, Any]


@pytest.fixture(scope="module")
def results(mlp: Sample) -> Results:
    report = onnxmem.audit(mlp.path, mlp.x, mlp.y, **QUICK)
    return {
        "report": report,
        "comparison": onnxmem.compare([report, report]),
        "samples": onnxmem.samples(mlp.path, mlp.x, mlp.y),
        "inspection": onnxmem.inspect(mlp.path),
    }


KINDS = ("report", "comparison", "samples", "inspection")


@pytest.mark.parametrize("kind", KINDS)
def test_repr_is_one_short_line_with_the_name_of_the_model(
    results: Results, mlp: Sample, kind: str
) -> None:
    shown = repr(results[kind])
    assert mlp.path.name.removesuffix(".onnx") in shown
    assert "\n" not in shown and len(shown) < 200


@pytest.mark.parametrize(
    ("kind", "said"),
    [("report", "verdict: none"), ("comparison", "NMF, mixed"), ("inspection", "can be cut")],
)
def test_str_says_what_was_found(results: Results, kind: str, said: str) -> None:
    assert said in str(results[kind])
    assert len(str(results[kind])) < 2_000


def test_str_of_samples_says_what_was_found(results: Results) -> None:
    found = results["samples"]
    assert str(found) == onnxmem.report.samples_sentence(found)


@pytest.mark.parametrize("kind", KINDS)
def test_a_notebook_shows_a_table(results: Results, kind: str) -> None:
    html = results[kind]._repr_html_()
    assert html.strip().startswith("<div") and "<table" in html and "<script" not in html


@pytest.mark.parametrize("kind", KINDS)
def test_markdown_is_returned_and_written(results: Results, kind: str, tmp_path: Any) -> None:
    text = results[kind].to_markdown(tmp_path / "it.md")
    assert text.startswith("## ") and (tmp_path / "it.md").read_text("utf-8") == text


@pytest.mark.parametrize("kind", KINDS)
def test_charts_have_their_data_with_them(results: Results, kind: str) -> None:
    spec = results[kind].plot().to_dict()
    drawn = spec.get("datasets") or {"it": spec["data"]["values"]}
    assert any(rows for rows in drawn.values())


ROWS: dict[str, Callable[[Any], int]] = {
    "report": lambda one: sum(max(1, len(layer.curves)) for layer in one.layers),
    "comparison": lambda one: 2 * (1 + len(one.layers)),
    "samples": lambda one: len(one.samples),
    "inspection": lambda one: len(one.sites),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("library", ["pandas", "none"])
def test_a_table_has_a_row_for_each(
    results: Results, kind: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if library == "pandas":
        pytest.importorskip("pandas")
    else:
        refuse_pandas(monkeypatch)
    found = results[kind].to_frame()
    assert {len(found[name]) for name in found} == {ROWS[kind](results[kind])}
    assert isinstance(found, dict) == (library == "none")


def refuse_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    there = importlib.import_module

    def without(name: str, package: str | None = None) -> Any:
        if name == "pandas":
            raise ImportError(name)
        return there(name, package)

    monkeypatch.setattr(importlib, "import_module", without)


def test_a_table_holds_the_numbers_of_the_report(results: Results) -> None:
    report, table = results["report"], results["report"].to_frame()
    aucs = [curve.auc for layer in report.layers for curve in layer.curves]
    assert list(table["auc"]) == aucs
    assert list(table["tensor"]) == [layer.tensor for layer in report.layers]


@pytest.mark.parametrize("form", ["bytes", "ModelProto"])
def test_a_model_may_be_held_in_memory(results: Results, mlp: Sample, form: str) -> None:
    model = mlp.path.read_bytes() if form == "bytes" else onnx.load(mlp.path)
    report = onnxmem.audit(model, mlp.x, mlp.y, **QUICK)
    assert report.summary == results["report"].summary
    assert report.model.path == "model.onnx"
    samples = onnxmem.samples(model, mlp.x, mlp.y)
    assert samples.samples == results["samples"].samples
    assert onnxmem.inspect(model).sites == results["inspection"].sites


def test_models_are_compared_on_the_same_samples(mlp: Sample) -> None:
    models = [mlp.path, onnx.load(mlp.path)]
    found = onnxmem.compare(models, mlp.x, mlp.y, **QUICK)
    (_, second) = found.summary["nmf.mixed"]
    assert second is not None and second.difference == 0
    assert [report.settings["ranks"] for report in found.reports] == [[1, 4]] * 2


def test_what_is_compared_must_fit(results: Results, mlp: Sample) -> None:
    report = results["report"]
    with pytest.raises(UsageError, match="leave samples"):
        onnxmem.compare([report, report], mlp.x)
    with pytest.raises(UsageError, match="give them as x"):
        onnxmem.compare([mlp.path, mlp.path])
    with pytest.raises(UsageError, match="cannot be compared with each other"):
        onnxmem.compare([report, mlp.path], mlp.x)  # type: ignore[list-item]


def test_bytes_that_are_no_model_are_refused() -> None:
    with pytest.raises(ModelFileError):
        onnxmem.inspect(b"no model")


def test_words_are_typed_so_that_a_checker_finds_a_wrong_one() -> None:
    hints = typing.get_type_hints(onnxmem.audit)

    def words(name: str) -> tuple[str, ...]:
        (literal,) = typing.get_args(hints[name])
        assert typing.get_origin(literal) is Literal
        return typing.get_args(literal)

    assert words("compress") == COMPRESSORS and words("batch") == BATCHES
    assert set(METRICS) == set(typing.get_args(typing.get_args(hints["metric"])[0]))
    assert hints["pool"] == Pool
    defaults = inspect.signature(onnxmem.audit).parameters
    assert defaults["compress"].default == DEFAULT_COMPRESSORS == Settings().compress
    assert defaults["batch"].default == BATCHES


def test_frames_hold_shapes_of_any_length(mlp: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_pandas(monkeypatch)
    shapes = onnxmem.inspect(mlp.path).to_frame()["shape"]
    assert isinstance(shapes, np.ndarray) and shapes.dtype == object


OTHERS: dict[str, tuple[Any, str, str]] = {
    "locate": (onnxmem.LocateReport.of(locate_reports.whole()), "value", "Layer"),
    "track": (onnxmem.TrackReport.of(track_reports.report()), "row", "Checkpoint"),
    "survey": (onnxmem.SurveyReport.of(survey_reports.report()), "name", "Model"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_every_report_shows_itself(kind: str, tmp_path: Any) -> None:
    report, column, title = OTHERS[kind]
    assert "\n" not in repr(report) and len(repr(report)) < 200
    assert str(report)
    frame = report.to_frame()
    assert column in frame and len(frame[column])
    assert len({len(frame[name]) for name in frame}) == 1
    shown = report._repr_html_()
    assert f"<th>{title}</th>" in shown and "<script" not in shown
    assert report.to_markdown(tmp_path / "r.md") == (tmp_path / "r.md").read_text("utf-8")
    spec = report.plot().to_dict()
    assert spec.keys() & {"layer", "hconcat", "vconcat"}


def test_a_table_of_a_survey_holds_its_numbers() -> None:
    survey = OTHERS["survey"][0]
    frame = survey.to_frame()
    assert list(frame["name"]) == [one.name for one in survey.models]
    for at, one in enumerate(survey.models):
        known = one.memorized_share
        assert known is None or frame["memorized_share"][at] == known.value
        for key, score in one.summary.items():
            assert score.auc is None or frame[key][at] == score.auc


def test_names_in_a_survey_are_harmless_in_a_notebook() -> None:
    survey = onnxmem.SurveyReport.of(survey_reports.hostile())
    for text in (survey._repr_html_(), survey.to_markdown()):
        assert "<script" not in text and "<img" not in text
