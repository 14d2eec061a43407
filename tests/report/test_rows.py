"""The rows of the charts: names on an axis are short and never equal."""

from __future__ import annotations

from dataclasses import replace

import report_samples

from onnxmem.records import Report
from onnxmem.report import words
from onnxmem.report.rows import (
    curve_rows,
    first_choice,
    group_rows,
    groups_shown,
    numbered,
    row_names,
)


def test_axis_names_are_short_and_never_equal(any_report: Report) -> None:
    names = row_names(any_report)
    assert len(set(names)) == len(any_report.layers)
    assert all(len(name) <= 40 for name in names)


def test_what_all_names_share_is_left_out() -> None:
    layers = tuple(report_samples.skipped(i, f"/net/conv.{i}/Relu_output_0") for i in range(3))
    assert row_names(report_samples.report(layers)) == [
        "1 conv.0",
        "2 conv.1",
        "3 conv.2",
    ]


def test_a_single_name_and_equal_names_stay() -> None:
    one = (report_samples.skipped(0, "/a/b"),)
    assert row_names(report_samples.report(one)) == ["1 /a/b"]
    assert row_names(report_samples.report(one * 2)) == ["1 b", "2 b"]


def test_groups_refer_to_the_curve_they_belong_to() -> None:
    report = report_samples.partly_skipped()
    curves = {row["curve"]: row for row in curve_rows(report)}
    flat = [curve for layer in report.layers for curve in layer.curves]
    assert list(curves) == list(range(len(flat)))
    for row in group_rows(report):
        assert curves[row["curve"]]["xName"] == flat[row["curve"]].x_name
        assert len(row["accuracy"]) == len(flat[row["curve"]].x)


def test_of_many_groups_the_lowest_are_kept() -> None:
    report = report_samples.many(60, classes=100)
    kept = [row for row in group_rows(report) if row["curve"] == 0]
    lowest = sorted(group.auc for group in report.layers[0].curves[0].groups)
    assert len(kept) == groups_shown(report) < 100
    assert kept[-1]["auc"] == round(lowest[len(kept) - 1], 3)


def test_the_first_choice_is_the_lowest_scored_layer() -> None:
    layers = (
        report_samples.saturated(0, "full"),
        report_samples.layer(1, "high", 0.7),
        report_samples.layer(2, "low", 0.1),
    )
    assert first_choice(report_samples.report(layers)) == 2
    assert first_choice(report_samples.empty()) == -1


def test_names_that_only_numbers_tell_apart_keep_their_words() -> None:
    names = [f"/{i}/Relu_output_0" for i in (1, 3, 12)]
    layers = tuple(report_samples.skipped(i, name) for i, name in enumerate(names))
    assert row_names(report_samples.report(layers)) == ["1 1/Relu", "2 3/Relu", "3 12/Relu"]


def test_classes_are_called_by_their_names_and_mixed_batches_by_their_number() -> None:
    report = report_samples.partly_skipped()
    named = replace(report, data=replace(report.data, names={"0": "cat"}, left_out=(0, 7)))
    curves = {row["curve"]: row for row in curve_rows(named)}
    of_classes = {r["label"] for r in group_rows(named) if "class" in curves[r["curve"]]["batch"]}
    of_mixed = {r["label"] for r in group_rows(named) if "class" not in curves[r["curve"]]["batch"]}
    assert "cat" in of_classes and "cat" not in of_mixed
    assert "left out for too few samples: cat, 7" in words.sentence(named)


def test_tensors_are_told_apart_by_number_and_by_what_differs() -> None:
    long = [f"/backbone/stage.{stage}/block.0/act/Relu_output_0" for stage in range(12)]
    names = numbered(long)
    assert names[0] == "1 stage.0" and names[11] == "12 stage.11"
    assert len({*names}) == 12
