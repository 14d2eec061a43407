"""Where a network memorizes in every format."""

from __future__ import annotations

import html
import io
import json
import re
from pathlib import Path
from typing import Any

import locate_reports
import pytest
from report_samples import HOSTILE_NAMES
from rich.cells import cell_len
from rich.console import Console

from onnxmem.errors import DataError, UsageError
from onnxmem.findings import locate_findings
from onnxmem.records import LocateReport
from onnxmem.report import load_stored, render_locate, terminal, write
from onnxmem.report.locate import picture
from onnxmem.report.locate.rows import chart_rows, labels


@pytest.fixture(params=locate_reports.ALL)
def any_report(request: pytest.FixtureRequest) -> LocateReport:
    return locate_reports.ALL[request.param]()


def shown(report: LocateReport, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(terminal(report))
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_json_comes_back(any_report: LocateReport, tmp_path: Path) -> None:
    write(render_locate(any_report, "json"), tmp_path / "l.json")
    assert load_stored(tmp_path / "l.json") == any_report


def test_segments_have_the_keys_of_the_contract() -> None:
    values = json.loads(render_locate(locate_reports.whole(), "json"))
    assert {"from", "to", "tensors", "clean_accuracy", "suspect_accuracy"} <= set(
        values["rewinding"]["segments"][0]
    )
    assert values["schema"] == "onnxmem.locate/1"


@pytest.mark.parametrize(
    "change",
    [
        {"depth": {"layers": 3}},
        {"depth": {"layers": [{"tensor": "a", "own_agreement": 2.0, "suspects_agreement": None,
                               "held_out_agreement": None}]}},
        {"gradients": [{"model": "network", "layers": [
            {"from": "input", "to": "a", "weights": [], "clean_norm": -1.0}]}]},
    ],
)  # fmt: skip
def test_what_no_run_could_have_left_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    (tmp_path / "l.json").write_text(json.dumps(locate_reports.whole().to_dict() | change))
    with pytest.raises(DataError):
        load_stored(tmp_path / "l.json")


def test_an_accuracy_that_is_no_share_is_refused(tmp_path: Path) -> None:
    values = locate_reports.whole().to_dict()
    values["rewinding"]["segments"][1]["clean_accuracy"] = 1.5
    (tmp_path / "l.json").write_text(json.dumps(values))
    with pytest.raises(DataError, match=r"segments\[1\]"):
        load_stored(tmp_path / "l.json")


def test_the_terminal_tells_each_part_and_claims_no_neurons() -> None:
    text = " ".join(shown(locate_reports.whole()).split())
    assert "brings the accuracy on suspects from 98 % to 30 %" in text
    assert "that on others from 100 % to 99 %" in text
    assert "from '/relu3/Relu_output_0' on neighbours agree" in text.replace("From", "from")
    assert "at no layer a linear probe reads" in text.replace("At", "at")
    assert "the mean gradient of suspects is 2.0 to 4.0 times that of others" in text
    assert "with more than 64 chosen units off" in text
    assert "margins tell suspects better" in text
    assert "no unit is claimed to memorize" in text


def test_reasons_stand_where_parts_tell_nothing() -> None:
    text = " ".join(shown(locate_reports.without_checkpoint()).split())
    assert text.count("no gradient passes Round") == 2
    assert "rewinding" not in text.lower().split("rewinding: the network with")[0]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_tables_fit_the_terminal(any_report: LocateReport, width: int) -> None:
    assert max(map(cell_len, shown(any_report, width).splitlines())) <= width


def test_markdown_holds_no_markup_of_others() -> None:
    text = str(render_locate(locate_reports.hostile(), "markdown"))
    assert "<script" not in text and "](" not in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} <= {4, 5, 6}


def test_layers_that_look_alike_are_told_apart() -> None:
    called = labels(locate_reports.hostile(), 10)
    assert len(set(called.values())) == len(called)


def test_every_row_of_a_chart_is_at_a_layer_that_it_has(any_report: LocateReport) -> None:
    known = set(labels(any_report, 28).values())
    rows = chart_rows(any_report)
    assert {row["layer"] for part in rows.values() for row in part} <= known


def test_the_page_escapes_names_and_holds_each_chart(any_report: LocateReport) -> None:
    text = str(render_locate(any_report, "html"))
    assert set(re.findall(r'id="m0-(\w+)"', text)) == set(chart_rows(any_report))
    body = text.split("<main")[1].split("<script")[0]
    assert not any(name in body for name in HOSTILE_NAMES if "<" in name)


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_one_picture_shows_all_charts(any_report: LocateReport, kind: str) -> None:
    content = render_locate(any_report, kind)
    assert isinstance(content, bytes)
    assert content.startswith(b"\x89PNG" if kind == "png" else b"<svg")
    panels = picture.spec(any_report)["hconcat"]
    assert len(panels) == max(1, len(chart_rows(any_report)))


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot be written as junit"):
        render_locate(locate_reports.whole(), "junit")


def test_the_headline_of_the_page_is_the_finding_of_most_weight() -> None:
    report = locate_reports.whole()
    first = locate_findings(report)[0].sentence
    heading = re.search("<h1><bdi>(.*?)</bdi></h1>", str(render_locate(report, "html")))
    assert heading is not None and html.unescape(heading[1]).lower() == first.lower()


def test_a_page_that_cannot_tell_where_says_why_once() -> None:
    report = locate_reports.nothing()
    page = str(render_locate(report, "html"))
    assert page[page.index("<main") : page.index("<noscript>")].count(report.reason) == 1
