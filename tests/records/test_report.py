"""Reports as dictionaries and files, and back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sample_networks import Sample

import onnxmem
from onnxmem.errors import DataError
from onnxmem.records import Layer, Report


@pytest.fixture(scope="module")
def report(mlp: Sample) -> Report:
    return onnxmem.audit(mlp.path, mlp.x, mlp.y, per_class=10, ranks=[1, 4])


def test_dictionary_and_back(report: Report) -> None:
    values = report.to_dict()
    assert Report.from_dict(values).to_dict() == values
    assert Report.from_dict(values).summary == report.summary


def test_dictionary_is_plain(report: Report) -> None:
    values = report.to_dict()
    assert json.loads(json.dumps(values, allow_nan=False)) == values


def test_names_are_those_of_the_contract(report: Report) -> None:
    values = report.to_dict()
    assert values["schema"] == "onnxmem.report/1"
    assert {"tool", "model", "data", "settings", "environment", "baseline"} < set(values)
    assert {"layers", "summary", "gates", "verdict"} < set(values)
    curve = values["layers"][0]["curves"][0]
    assert {"compressor", "batch", "x_name", "x", "accuracy", "error", "auc", "groups"} < set(curve)
    assert {"auc_low", "auc_high", "auc_relative"} < set(curve)
    assert {"label", "samples", "accuracy", "auc"} <= set(curve["groups"][0])
    assert set(values["environment"]) >= {"provider", "device", "onnx", "numpy"}


def test_file_holds_the_text(report: Report, tmp_path: Path) -> None:
    text = report.to_json(tmp_path / "r.json")
    assert (tmp_path / "r.json").read_text("utf-8") == text
    assert json.loads(text) == report.to_dict()


def test_page_holds_the_layers(report: Report, tmp_path: Path) -> None:
    page = report.to_html(tmp_path / "r.html")
    assert (tmp_path / "r.html").read_text("utf-8") == page
    assert "relu1" in page


def test_notebooks_show_a_table(report: Report) -> None:
    assert "<table" in report._repr_html_()


@pytest.mark.parametrize("missing", ["summary", "layers", "verdict"])
def test_missing_field_is_named(report: Report, missing: str) -> None:
    values = report.to_dict()
    del values[missing]
    with pytest.raises(DataError, match=missing):
        Report.from_dict(values)


def test_wrong_type_is_named(report: Report) -> None:
    values = report.to_dict() | {"verdict": "good"}
    with pytest.raises(DataError, match="verdict"):
        Report.from_dict(values)


@pytest.mark.parametrize(
    ("verdict", "code"), [("none", 0), ("pass", 0), ("fail", 1), ("inconclusive", 3)]
)
def test_verdict_owns_an_exit_code(report: Report, verdict: str, code: int) -> None:
    values = report.to_dict() | {"verdict": verdict}
    assert Report.from_dict(values).exit_code == code


@pytest.mark.parametrize(
    ("shape", "axis", "width"),
    [
        ((None, 8, 28, 28), 1, 8),
        ((None, 28, 28, 8), 3, 8),
        ((None, 28, 28, 8), -1, 8),
        (None, 1, None),
        ((None, 4), None, None),
        ((None, 4), 2, None),
        ((None, None), 1, None),
    ],
)
def test_width_is_that_of_the_feature_axis(
    shape: tuple[int | None, ...] | None, axis: int | None, width: int | None
) -> None:
    assert Layer("a", "Relu", 0, shape, axis, "skipped", "", None).width == width


def test_curves_are_found_by_their_key(report: Report) -> None:
    layer = report.layers[0]
    assert [layer.curve(curve.key) for curve in layer.curves] == list(layer.curves)
    assert layer.curve("svd.mixed") is layer.curve(None) is None
