"""A comparison on the terminal."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
import report_samples
from rich.console import Console

from onnxmem.comparing import compare
from onnxmem.findings import comparison_headline
from onnxmem.records import Comparison
from onnxmem.report import terminal


def six(layers: int = 3) -> Comparison:
    base = report_samples.many(layers)
    names = [f"family-p{share:02d}.onnx" for share in (0, 20, 40, 60, 80, 100)]
    return compare([replace(base, model=replace(base.model, path=name)) for name in names])


def printed(comparison: Comparison, width: int = 80) -> str:
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(terminal(comparison))
    return console.export_text()


def test_it_begins_with_the_headline() -> None:
    found = six()
    assert " ".join(printed(found).split()).startswith(comparison_headline(found))


@pytest.mark.parametrize("layers", [3, 50])
def test_no_number_is_cut_at_eighty_columns(layers: int) -> None:
    found = six(layers)
    text = printed(found)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80
    for row in found.layers:
        cell = row.scores["nmf.mixed"][0]
        if cell is not None and cell.auc is not None and not cell.saturated:
            assert f"{cell.auc:.3f}" in text


def test_models_are_rows_without_what_their_names_share() -> None:
    lines = printed(six()).splitlines()
    assert [line for line in lines if line.strip().startswith("p40 ")]
    assert not [line for line in lines if line.strip().startswith("family-p40.onnx ")]
