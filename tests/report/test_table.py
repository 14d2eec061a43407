"""The table on the terminal fits, says everything, and takes no markup from names."""

from __future__ import annotations

import io

import pytest
import report_samples
from rich.cells import cell_len
from rich.console import Console

from onnxmem.records import Report
from onnxmem.report import terminal


def shown(report: Report, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(terminal(report))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert isinstance(text, str)
    return text


@pytest.mark.parametrize("width", [60, 80, 132, 200])
def test_no_line_is_wider_than_the_console(width: int, any_report: Report) -> None:
    assert max(map(cell_len, shown(any_report, width).splitlines())) <= width


def test_at_80_columns_every_number_is_there() -> None:
    report = report_samples.failing()
    text = shown(report, 80)
    for layer in report.layers:
        for curve in layer.curves:
            assert f"{curve.auc:.2f}" in text
    assert "…" not in text


def test_a_wide_console_shows_the_baseline_and_the_status() -> None:
    text = shown(report_samples.partly_skipped(), 160)
    for word in ("Baseline", "0.993", "scored", "saturated", "skipped", "?×64×8×8"):
        assert word in text


def test_the_reason_of_a_skipped_layer_is_told() -> None:
    text = " ".join(shown(report_samples.partly_skipped(), 80).split())
    assert "Skipped relu2: the tail needs the model's input" in text


def test_saturated_is_explained() -> None:
    assert "nothing can be read" in " ".join(shown(report_samples.inconclusive(), 80).split())


def test_gates_tell_their_result() -> None:
    text = " ".join(shown(report_samples.failing(), 100).split())
    assert "Gate nmf.mixed: failed, 0.310 (bound of its interval 0.49996) against 0.50000" in text
    assert "Gate accuracy: passed, 0.993 against 0.9" in text
    assert "Gate pca.class: not measurable, no value against 0.5" in text


def test_names_are_text_and_never_markup_or_escapes() -> None:
    text = shown(report_samples.hostile(), 200)
    assert "[red]markup[/red]" in text
    assert "\x1b" not in text and "\u202e" not in text and "\x07" not in text


def test_a_report_without_layers_still_says_so() -> None:
    assert "no layer that was analyzed" in " ".join(shown(report_samples.empty(), 80).split())
