"""Samples in every format: all of them as data, the ones that stand out for readers."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import samples_reports
from report_samples import HOSTILE_NAMES
from rich.cells import cell_len
from rich.console import Console

from onnxmem.errors import DataError, UsageError
from onnxmem.records import SamplesReport
from onnxmem.report import load_stored, render_samples, terminal, write
from onnxmem.report.samples import page

FIRST = (
    "memorized 23 % (20–26 %) of its 1,200 training samples; label noise found, about 16 % (9–21"
)


@pytest.fixture(params=samples_reports.ALL)
def any_samples(request: pytest.FixtureRequest) -> SamplesReport:
    return samples_reports.ALL[request.param]()


def shown(report: SamplesReport, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(terminal(report))
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_json_comes_back_without_pictures(any_samples: SamplesReport, tmp_path: Path) -> None:
    write(render_samples(any_samples, "json"), tmp_path / "s.json")
    back = load_stored(tmp_path / "s.json")
    assert back == replace(any_samples, pictures={})
    assert "pictures" not in json.loads((tmp_path / "s.json").read_text("utf-8"))


def test_a_stored_picture_is_not_taken(tmp_path: Path) -> None:
    values = samples_reports.report(3).to_dict() | {"pictures": {"0": "M0 0L1 1"}}
    (tmp_path / "s.json").write_text(json.dumps(values))
    back = load_stored(tmp_path / "s.json")
    assert isinstance(back, SamplesReport) and back.pictures == {}


@pytest.mark.parametrize(
    "change",
    [
        {"network": {"samples": 3}},
        {"layers": [{"tensor": "a", "own_agreement": 2.0, "suspects_agreement": None,
                     "held_out_agreement": None}]},
        {"samples": 3},
    ],
)  # fmt: skip
def test_what_no_run_could_have_left_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    values = samples_reports.report(3).to_dict() | change
    (tmp_path / "s.json").write_text(json.dumps(values))
    with pytest.raises(DataError):
        load_stored(tmp_path / "s.json")


def test_csv_has_a_row_for_every_sample_as_it_is() -> None:
    report = samples_reports.hostile()
    rows = list(csv.DictReader(io.StringIO(str(render_samples(report, "csv")), newline="")))
    assert [row["id"] for row in rows] == [one.id for one in report.samples]
    assert [float(row["margin"]) for row in rows] == [one.margin for one in report.samples]
    assert rows[1]["label_name"] == report.names["1"]
    assert {row["depth"] for row in rows} == {"", "0", "1", "2", "3"}


def test_parquet_holds_the_same() -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    report = samples_reports.with_curves()
    table = parquet.read_table(io.BytesIO(bytes(render_samples(report, "parquet"))))  # type: ignore[arg-type]
    assert table.num_rows == 1200
    assert table["id"].to_pylist() == [one.id for one in report.samples]
    assert table["depth"].to_pylist() == [one.depth for one in report.samples]
    assert table["say_name"].to_pylist()[0] == "class number 3"


def test_the_first_sentence_says_what_was_found() -> None:
    report = samples_reports.report()
    for text in (
        shown(report, 200),
        str(render_samples(report, "markdown")).replace("&#40;", "(").replace("&#41;", ")"),
        str(render_samples(report, "html")),
    ):
        assert FIRST.lower() in " ".join(text.split()).lower()


def test_the_most_memorized_come_first() -> None:
    text = shown(samples_reports.report())
    assert text.index("sample-0") < text.index("sample-1") < text.index("sample-9")
    assert "sample-10 " not in text


@pytest.mark.parametrize("width", [60, 80, 140])
def test_no_line_is_wider_than_the_terminal(any_samples: SamplesReport, width: int) -> None:
    assert max(map(cell_len, shown(any_samples, width).splitlines()), default=0) <= width


def test_names_of_others_stay_names() -> None:
    report = samples_reports.hostile()
    html, markdown = (str(render_samples(report, name)) for name in ("html", "markdown"))
    assert "<script>alert" not in html.replace("&lt;script", "")
    for text in (html, markdown):
        for name in HOSTILE_NAMES:
            assert "<" not in name or name not in text
    assert "\x1b" not in shown(report)


def test_a_page_stays_small_and_shows_no_more_than_it_can() -> None:
    for make in (samples_reports.with_images, samples_reports.with_curves):
        html = str(render_samples(make(), "html"))
        assert len(html.encode()) < 2_500_000
        assert html.count('<tr data-state="') == page.SHOWN
        assert html.count("<use ") > page.SHOWN


def test_no_other_format_is_known() -> None:
    with pytest.raises(UsageError, match="choose one of json, html, markdown, csv, parquet"):
        render_samples(samples_reports.report(3), "junit")


def test_notebooks_show_what_was_found() -> None:
    fragment = page.fragment(samples_reports.with_images())
    assert FIRST in fragment and "<use " in fragment and "<script" not in fragment
