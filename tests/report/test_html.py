"""The page is complete, asks for nothing, and runs no text of others."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
import report_samples

from onnxmem.errors import UsageError
from onnxmem.records import Report
from onnxmem.report import render, side_by_side


class Page(HTMLParser):
    """A page taken apart: its elements with their attributes, and the text of each."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str], list[str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}, []))

    def handle_endtag(self, tag: str) -> None:
        self.elements.append(("", {}, []))

    def handle_data(self, data: str) -> None:
        if self.elements:
            self.elements[-1][2].append(data)

    def all(self, tag: str) -> list[tuple[dict[str, str], str]]:
        return [(attrs, "".join(text)) for name, attrs, text in self.elements if name == tag]


def drawings(page: Page) -> Any:
    return next(
        json.loads(text) for attrs, text in page.all("script") if attrs.get("id") == "drawings"
    )


@pytest.fixture(scope="module")
def hostile() -> Page:
    return Page(render(report_samples.hostile(), "html"))


def test_the_page_asks_no_network_for_anything(any_report: Report) -> None:
    page = Page(render(any_report, "html"))
    for tag, attrs, _ in page.elements:
        assert tag not in {"link", "iframe", "object", "embed", "base", "img"}
        for name in ("src", "srcset", "data", "action", "poster"):
            assert name not in attrs
        assert attrs.get("href", "#").startswith("#")


def test_the_policy_admits_the_pages_own_scripts_and_style_alone() -> None:
    page = Page(render(report_samples.passing(), "html"))
    policy = next(a["content"] for a, _ in page.all("meta") if "http-equiv" in a)
    code = [text for attrs, text in page.all("script") if "type" not in attrs]
    for text in (*code, page.all("style")[0][1]):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert len(code) == 2


def test_no_element_has_code_or_style_in_an_attribute(hostile: Page) -> None:
    for _, attrs, _ in hostile.elements:
        assert not [name for name in attrs if name.startswith("on") or name == "style"]


def test_hostile_names_make_no_elements(hostile: Page) -> None:
    assert len(hostile.all("script")) == 3
    assert not hostile.all("img")
    assert not hostile.all("b") or all("alert" not in text for _, text in hostile.all("b"))


def test_hostile_names_show_nothing_hidden(hostile: Page) -> None:
    text = "".join("".join(t) for tag, _, t in hostile.elements if tag not in {"script", "style"})
    assert not re.search(
        r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", text
    )
    assert "x" * 500 not in text


def test_embedded_data_cannot_end_their_script() -> None:
    text = render(report_samples.hostile(), "html")
    data = text.split('id="drawings">')[1].split("</script>")[0]
    assert "<" not in data
    json.loads(data)


def test_fifty_layers_stay_below_two_and_a_half_megabytes() -> None:
    assert len(render(report_samples.many(), "html").encode()) < 2.5e6


def test_a_thousand_classes_do_not_blow_up_the_page() -> None:
    text = render(report_samples.many(20, classes=1000), "html")
    assert len(text.encode()) < 2.5e6
    assert "with the lowest" in text


def test_every_layer_has_a_row_with_a_header(any_report: Report) -> None:
    page = Page(render(any_report, "html"))
    headers = [attrs for attrs, _ in page.all("th") if attrs.get("scope") == "row"]
    assert len(headers) == len(any_report.layers) + len(any_report.gates)
    assert all(attrs.get("scope") in {"row", "col"} for attrs, _ in page.all("th"))


def test_the_page_can_be_walked_without_eyes_or_mouse() -> None:
    page = Page(side_by_side([report_samples.passing(), report_samples.failing()]))
    assert page.all("html")[0][0]["lang"] == "en"
    assert len(page.all("h1")) == 1 and len(page.all("main")) == 1
    ids = [attrs["id"] for _, attrs, _ in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    labelled = {attrs["for"] for attrs, _ in page.all("label")}
    assert {attrs["id"] for attrs, _ in page.all("select")} == labelled
    for _, attrs, _ in page.elements:
        for name in ("aria-labelledby", "aria-describedby"):
            assert attrs.get(name, ids[0]) in ids
        assert attrs.get("href", f"#{ids[0]}")[1:] in ids
    images = [attrs for _, attrs, _ in page.elements if attrs.get("role") == "img"]
    assert images and all(attrs["aria-label"] for attrs in images)
    assert all(
        attrs.get("tabindex") == "0"
        for _, attrs, _ in page.elements
        if attrs.get("class") == "scroll"
    )


def test_headings_skip_no_level(any_report: Report) -> None:
    levels = [
        int(tag[1])
        for tag, _, _ in Page(render(any_report, "html")).elements
        if re.fullmatch(r"h[1-6]", tag)
    ]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_every_chart_has_a_place_and_its_data() -> None:
    page = Page(render(report_samples.passing(), "html"))
    places = {attrs["id"] for attrs, _ in page.all("div") if attrs.get("class") == "chart"}
    model = drawings(page)["models"][0]
    assert places == {f"m0-{name}" for name in model["specs"]}
    report = report_samples.passing()
    assert len(model["datasets"]["curves"]) == sum(len(layer.curves) for layer in report.layers)


def test_only_what_was_measured_is_drawn() -> None:
    report = report_samples.passing()
    layers = tuple(
        replace(layer, curves=tuple(c for c in layer.curves if c.key == "ablation.mixed"))
        for layer in report.layers
    )
    page = Page(render(report_samples.report(layers), "html"))
    assert set(drawings(page)["models"][0]["specs"]) == {
        "overview-mixed",
        "fraction",
        "times",
    }


def test_what_is_needed_to_repeat_the_run_is_there() -> None:
    report = report_samples.passing()
    text = render(report, "html")
    for value in (
        report.model.sha256,
        report.data.sha256,
        "CPUExecutionProvider",
        "1.31.0",
    ):
        assert value in text
    for name in report.settings:
        assert f">{name}<" in text


def test_the_meaning_is_told() -> None:
    text = " ".join(render(report_samples.passing(), "html").split())
    assert "Saturated is not good" in text
    assert "that is not found" in text
    assert "Larger networks and real images may behave differently" in text


def test_several_models_stand_on_one_page() -> None:
    page = Page(side_by_side([report_samples.passing(), report_samples.failing()]))
    data = drawings(page)
    assert len(data["models"]) == 2
    names = {row["model"] for row in data["together"]["datasets"]["models"]}
    assert names == {"cnn-clean.onnx", "cnn-noisy.onnx"}


def test_models_without_any_curve_can_stand_side_by_side() -> None:
    assert "2 models" in side_by_side([report_samples.empty(), report_samples.empty()])


def test_no_report_gives_no_page() -> None:
    with pytest.raises(UsageError):
        side_by_side([])


def test_the_notebook_fragment_is_a_table_without_scripts() -> None:
    page = Page(render(report_samples.hostile(), "notebook"))
    tags = {tag for tag, _, _ in page.elements}
    assert "table" in tags
    assert not tags & {"script", "style", "html", "body", "img", "button"}


def test_models_audited_in_different_ways_come_with_a_warning() -> None:
    one = report_samples.passing()
    other = replace(
        report_samples.failing(),
        data=replace(one.data, sha256="beef"),
        settings=one.settings | {"per_class": 10},
    )
    assert "Do not compare" not in side_by_side([one, report_samples.failing()])
    text = " ".join(side_by_side([one, other]).split())
    assert "Do not compare" in text
    assert "<bdi>data</bdi>, <bdi>per_class</bdi>." in text


def test_a_page_does_not_call_audited_what_was_refused() -> None:
    refused = report_samples.without_site()
    one = replace(report_samples.passing(), settings=refused.settings, data=refused.data)
    text = " ".join(side_by_side([one, refused]).split())
    assert "Not all could be audited" in text and "All were audited" not in text
    assert "All were audited" in side_by_side([one, one])


def body(page: str) -> str:
    return page[page.index("<main") : page.index("<noscript>")]


@pytest.mark.parametrize("report", [report_samples.inconclusive(), report_samples.refused()])
def test_a_page_says_once_why_nothing_can_be_concluded(report: Report) -> None:
    shown = body(render(report, "html")).lower()
    assert shown.count(report.reason.rstrip(".").lower()) == 1
