"""The Markdown report is short enough for a job summary and takes no markup from names."""

from __future__ import annotations

import report_samples

from onnxmem.report import render, sentence
from onnxmem.report.markdown import MOST_BYTES, escaped


def rows(text: str, title: str) -> list[str]:
    part = text.split(title)[1].split("\n\n")[1]
    return [line for line in part.splitlines() if line.startswith("|")][2:]


def test_the_worst_layer_comes_first() -> None:
    table = rows(render(report_samples.passing(), "markdown"), "### Layers")
    assert "features.0" in table[0] and "features.7" in table[-1]


def test_layers_whose_long_names_look_alike_are_told_apart_by_their_place() -> None:
    names = ["x" * 500 + middle + "x" * 500 for middle in "ab"]
    layers = tuple(report_samples.skipped(place, name) for place, name in enumerate(names))
    table = rows(render(report_samples.report(layers), "markdown"), "### Layers")
    assert [row.split()[1] for row in table] == ["1", "2"]


def test_every_row_has_as_many_cells_as_its_head() -> None:
    text = render(report_samples.hostile(), "markdown")
    for title in ("### Gates", "### Mean AuC", "### Layers"):
        table = rows(text, title)
        assert len({row.count("|") for row in table}) == 1


def test_there_is_a_row_for_every_layer_and_gate() -> None:
    report = report_samples.hostile()
    text = render(report, "markdown")
    assert len(rows(text, "### Layers")) == len(report.layers)
    assert len(rows(text, "### Gates")) == len(report.gates)


def test_names_hold_no_markdown_and_no_html() -> None:
    text = render(report_samples.hostile(), "markdown")
    body = text.replace("<code>", "").replace("</code>", "")
    assert "<" not in body and "`" not in body and "](" not in body and "\\" not in body
    assert escaped("www.a.org @me #1 :tada: a|b\nc") == (
        "www&#46;a.org &#64;me &#35;1 &#58;tada&#58; a&#124;b&#92;nc"
    )


def test_a_huge_report_stays_below_the_limit_and_says_what_is_missing() -> None:
    layers = tuple(report_samples.skipped(i, "|" * 500, "<" * 1000) for i in range(3000))
    text = render(report_samples.report(layers), "markdown")
    assert len(text.encode()) < MOST_BYTES
    assert "more layers are in the JSON report" in text


def test_limits_are_told() -> None:
    text = render(report_samples.passing(), "markdown")
    assert "nothing can be read from it" in text
    assert "not found to separate" in text
    assert escaped(sentence(report_samples.passing()), 2000) in text
