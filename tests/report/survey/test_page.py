"""The page and the table of a survey: every model has its row, and no name does harm."""

from __future__ import annotations

import io
import re

import pytest
import survey_reports
from rich.console import Console

from onnxmem.errors import UsageError
from onnxmem.report import render_survey, terminal


def page() -> str:
    return str(render_survey(survey_reports.report(), "html"))


def test_every_model_has_a_row_with_its_state() -> None:
    rows = re.findall(r"<tr>\s*<th scope=\"row\".*?</tr>", page(), re.DOTALL)
    states = ("pass", "gate failed", "inconclusive", "could not be audited (4)", "not audited yet")
    assert len(rows) == len(states)
    assert all(f">{state}</span>" in row for row, state in zip(rows, states, strict=True))
    assert "its process died" in rows[3]


def test_only_models_with_a_page_have_a_link() -> None:
    assert set(re.findall(r'href="\./(.*?)"', page())) == {
        f"{name}.{kind}" for name in ("good", "bad", "odd") for kind in ("html", "json")
    }


def test_numbers_can_be_sorted_by() -> None:
    assert 'class="sortable"' in page()
    assert re.search(r'data-label="Accuracy" data-value="0\.\d+"', page())


def test_hostile_names_are_text() -> None:
    text = str(render_survey(survey_reports.hostile(), "html"))
    assert "<img" not in text and "<script>alert" not in text
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    assert not re.search(r'href="(?!\./[^/"]+"|#)', text)
    assert "default-src &#39;none&#39;" in text


def test_the_table_has_the_worst_first() -> None:
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(terminal(survey_reports.report()))
    text = console.export_text()
    assert text.index("broken") < text.index("odd") < text.index("bad") < text.index("good")
    assert text.startswith("5 models: 1 pass, 1 gate failed, 1 inconclusive, 1 could not")


def test_a_hostile_table_has_no_control_characters() -> None:
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(terminal(survey_reports.hostile()))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", console.export_text())


def test_other_formats_are_refused() -> None:
    with pytest.raises(UsageError, match="a survey cannot be written as junit; choose one of json"):
        render_survey(survey_reports.report(), "junit")
