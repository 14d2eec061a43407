"""A course of training in every format: all samples as data, what was found for readers."""

from __future__ import annotations

import csv
import io
import json
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import track_reports
from report_samples import HOSTILE_NAMES
from rich.cells import cell_len
from rich.console import Console

from onnxmem.errors import DataError, UsageError
from onnxmem.records import TrackReport
from onnxmem.report import load_stored, render_track, terminal, write

FIRST = "Keep epoch_1.onnx: its answers agree with the nearest training samples of 90 %"


@pytest.fixture(params=track_reports.ALL)
def any_course(request: pytest.FixtureRequest) -> TrackReport:
    """Give a report of every kind."""
    return track_reports.ALL[request.param]()


def shown(report: TrackReport, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(terminal(report))
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_json_comes_back(any_course: TrackReport, tmp_path: Path) -> None:
    write(render_track(any_course, "json"), tmp_path / "t.json")
    assert load_stored(tmp_path / "t.json") == any_course


@pytest.mark.parametrize(
    "change",
    [
        {"chosen": "another.onnx"},
        {"checkpoints": []},
        {"layers": ["a", "b"]},
        {"samples": [{"id": "a", "row": 0, "label": 1, "margin": 2.0, "fitted_from": 0,
                      "fitted": 1.0, "suspect": True}]},
        {"samples": [{"id": "a", "row": 0, "label": 1, "margin": 0.5, "fitted_from": 9,
                      "fitted": 1.0, "suspect": True}]},
    ],
)  # fmt: skip
def test_what_no_run_could_have_left_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    values = track_reports.report(5, 3).to_dict() | change
    (tmp_path / "t.json").write_text(json.dumps(values))
    with pytest.raises(DataError):
        load_stored(tmp_path / "t.json")


def test_csv_has_a_row_for_every_sample_as_it_is() -> None:
    report = track_reports.hostile()
    rows = list(csv.DictReader(io.StringIO(str(render_track(report, "csv")), newline="")))
    assert [row["id"] for row in rows] == [one.id for one in report.samples]
    assert [float(row["margin"]) for row in rows] == [one.margin for one in report.samples]
    assert rows[1]["fitted_from"] == report.checkpoints[1].path
    assert rows[0]["fitted_from"] == ""
    assert rows[1]["label_name"] == report.names["1"]


def test_the_first_sentence_says_which_to_keep() -> None:
    report = track_reports.report()
    for text in (
        shown(report, 200),
        unescape(str(render_track(report, "markdown"))),
        str(render_track(report, "html")),
        bytes(render_track(report, "svg")).decode(),  # type: ignore[arg-type]
    ):
        assert FIRST in " ".join(text.split())


def test_the_kept_checkpoint_is_marked() -> None:
    report = track_reports.report()
    assert "epoch_1.onnx *" in shown(report)
    assert "| **epoch" in str(render_track(report, "markdown"))
    assert str(render_track(report, "html")).count('<tr class="chosen">') == 1


def test_what_the_labels_of_held_out_samples_tell_is_told() -> None:
    text = " ".join(shown(track_reports.report(), 300).split())
    assert (
        "right for 87 %, 0.0 points below the best, epoch_1.onnx; the last checkpoint 20.0" in text
    )
    assert "runner-up is 5.0 points lower (95 % interval \N{MINUS SIGN}1.0 to 10.0)" in text
    assert "held-out labels" not in shown(track_reports.without_choice(), 300).split("labels,")[0]


@pytest.mark.parametrize("width", [60, 80, 140])
def test_no_line_is_wider_than_the_terminal(any_course: TrackReport, width: int) -> None:
    assert max(map(cell_len, shown(any_course, width).splitlines()), default=0) <= width


def test_names_of_others_stay_names() -> None:
    report = track_reports.hostile()
    html, markdown = (str(render_track(report, name)) for name in ("html", "markdown"))
    assert "<script>alert" not in html.replace("&lt;script", "")
    for text in (html, markdown):
        for name in HOSTILE_NAMES:
            assert "<" not in name or name not in text
    assert "\x1b" not in shown(report)


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_every_course_can_be_drawn(any_course: TrackReport, kind: str) -> None:
    drawn = render_track(any_course, kind)
    assert isinstance(drawn, bytes)
    assert drawn.startswith(b"\x89PNG" if kind == "png" else b"<svg")


def test_a_page_stays_small() -> None:
    assert len(str(render_track(track_reports.long(), "html")).encode()) < 2_500_000


def test_no_other_format_is_known() -> None:
    with pytest.raises(UsageError, match="choose one of json, html, markdown, csv, png, svg"):
        render_track(track_reports.report(3, 3), "junit")
