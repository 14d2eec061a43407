"""What a comparison says in words, and how it looks as Markdown and as a page."""

from __future__ import annotations

from dataclasses import replace

import pytest
import report_samples
from report_samples import layer, report

from onnxmem.comparing import Cell, Comparison, compare
from onnxmem.records import Report
from onnxmem.report import render_comparison
from onnxmem.report.findings import APART, cell_text, findings, limits, starred


def two(first: float = 0.6, second: float = 0.3) -> Comparison:
    """Return a comparison of two models of one layer each, without intervals."""
    clean = report((layer(0, "relu", first),), path="clean.onnx")
    noisy = report((layer(0, "relu", second),), path="noisy.onnx")
    return compare([clean, noisy])


def with_interval(comparison: Comparison, low: float, high: float) -> Comparison:
    """Return the comparison with one interval for the difference of the means."""
    apart = low > 0 or high < 0
    summary = {
        key: (
            cells[0],
            cells[1] and replace(cells[1], difference_low=low, difference_high=high, apart=apart),
        )
        for key, cells in comparison.summary.items()
    }
    return replace(comparison, summary=summary)


def test_the_model_that_keeps_more_is_named_with_both_means() -> None:
    comparison = with_interval(two(), -0.4, -0.2)
    line = next(one for one in findings(comparison) if one.startswith("NMF, mixed"))
    scores = [r.summary["nmf.mixed"].auc or 0.0 for r in comparison.reports]
    assert "clean.onnx keeps more accuracy than noisy.onnx" in line
    assert f"{scores[0]:.3f} against {scores[1]:.3f}" in line
    assert f"apart by {scores[0] - scores[1]:.3f} (95 % interval 0.200 to 0.400)" in line
    assert "more than the choice of samples explains" in line


def test_the_same_is_said_whatever_model_comes_first() -> None:
    line = findings(with_interval(two(0.3, 0.6), 0.2, 0.4))[1]
    assert "noisy.onnx keeps more accuracy than clean.onnx" in line
    assert "(95 % interval 0.200 to 0.400)" in line


def test_a_difference_within_its_interval_is_called_so() -> None:
    assert all("the interval holds 0" in one for one in findings(with_interval(two(), -0.4, 0.1)))


def test_a_missing_interval_is_said() -> None:
    assert all("with no interval" in one for one in findings(two()))


def test_the_same_network_keeps_the_same() -> None:
    comparison = two(0.5, 0.5)
    assert all("keep the same accuracy" in one for one in findings(comparison))
    assert limits(comparison) == []


def test_what_saturates_in_one_model_alone_is_said() -> None:
    found = limits(two(0.9, 0.3))
    assert any(
        one.startswith("NMF, single-class: 1 layer saturated in clean.onnx and not in noisy.onnx")
        for one in found
    )
    line = next(one for one in findings(two(0.9, 0.3)) if one.startswith("NMF, single-class"))
    assert "cannot be compared" in line


def test_layers_without_a_counterpart_are_named() -> None:
    shallow = report((layer(0, "relu1", 0.5),), path="shallow.onnx")
    deep = report((layer(0, "relu1", 0.5), layer(1, "more", 0.5)), path="deep.onnx")
    (line,) = limits(compare([shallow, deep]))
    assert line.startswith("deep.onnx has 1 layer with no counterpart")
    assert "more (64 features)" in line
    mean = next(one for one in findings(compare([shallow, deep])) if one.startswith("NMF, mixed"))
    assert "over the 1 layer that both have" in mean


def test_layers_that_were_not_measured_are_named() -> None:
    bare = report((report_samples.skipped(0, "relu"),), path="bare.onnx")
    found = limits(compare([report((layer(0, "relu", 0.5),)), bare]))
    assert any(one.startswith("bare.onnx has 1 layer without a score: relu") for one in found)


def test_accuracies_that_differ_are_named() -> None:
    comparison = two()
    worse = replace(
        comparison.reports[1], baseline=replace(comparison.reports[1].baseline, value=0.5)
    )
    (line,) = limits(compare([comparison.reports[0], worse]))
    assert "clean.onnx 0.993, noisy.onnx 0.500" in line


def test_notes_are_passed_on_harmless() -> None:
    assert limits(replace(two(0.5, 0.5), notes=("a\x1b[31m\nb",))) == ["a\\x1b[31m\\nb."]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, "–"),
        (Cell(1.0, 1.0, 1.0, True), "saturated"),
        (Cell(None, None, None, False), "none"),
        (Cell(0.5, 0.4, 0.6, False), "0.500"),
        (Cell(0.5, 0.4, 0.6, False, -0.1, -0.2, 0.1, False), "0.500 (−0.100)"),
        (Cell(0.5, 0.4, 0.6, False, 0.1, 0.05, 0.2, True), "0.500 (+0.100)*"),
    ],
)
def test_a_score_in_a_table(cell: Cell | None, text: str) -> None:
    assert cell_text(cell) == text


@pytest.mark.parametrize("name", ["markdown", "html"])
def test_a_star_is_explained_where_there_is_one(name: str) -> None:
    for comparison in (two(), with_interval(two(), -0.4, -0.2)):
        text = render_comparison(comparison, name)
        assert (APART in text) is starred(comparison)


@pytest.mark.parametrize("name", ["json", "html", "markdown", "junit", "sarif"])
def test_every_kind_of_report_can_be_compared(any_report: Report, name: str) -> None:
    text = render_comparison(compare([any_report, any_report]), name)
    assert "\x1b" not in text
    if name in ("html", "markdown"):
        assert "<script>alert" not in text and "<img src=x" not in text


def test_a_notebook_shows_what_the_comparison_found() -> None:
    assert "falls clean 0.453 &gt; noisy 0.356" in render_comparison(two(), "notebook")


def test_the_page_says_what_the_comparison_found() -> None:
    page = render_comparison(two(), "html")
    assert "What the comparison says" in page
    assert "clean.onnx keeps more accuracy than noisy.onnx" in page


def test_long_comparisons_lose_rows_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onnxmem.report.comparison_markdown.MOST_BYTES", 5_000)
    text = render_comparison(compare([report_samples.many()] * 2), "markdown")
    assert len(text.encode()) <= 5_000
    assert "more rows are in the JSON form" in text


def test_layers_of_each_model_come_before_pairs_of_models_on_the_page() -> None:
    page = render_comparison(two(), "html")
    assert page.index('id="heat"') < page.index('id="scores"')


def test_models_in_which_the_same_layers_are_saturated_share_a_sentence() -> None:
    first = report_samples.report((report_samples.layer(0, "relu1", 0.4),))
    full = report_samples.report((report_samples.saturated(0, "relu1"),))
    others = [replace(full, model=replace(full.model, path=f"{name}.onnx")) for name in "ab"]
    told = [one for one in limits(compare([first, *others])) if "saturated" in one]
    assert len(told) == len({one.split(":")[0] for one in told})
    assert all("a.onnx and b.onnx and not in" in one for one in told)
