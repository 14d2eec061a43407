"""The page in a real browser: complete, silent, usable with mouse and keyboard, accessible."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import locate_reports
import pytest
import report_samples
import samples_reports
import track_reports

from onnxmem.comparing import compare
from onnxmem.report import (
    render,
    render_comparison,
    render_locate,
    render_samples,
    render_track,
    side_by_side,
)

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on the path"),
]

PAGES: dict[str, Callable[[], str]] = {
    "many": lambda: render(report_samples.many(), "html"),
    "failing": lambda: render(report_samples.failing(), "html"),
    "inconclusive": lambda: render(report_samples.inconclusive(), "html"),
    "without_site": lambda: render(report_samples.without_site(), "html"),
    "hostile": lambda: render(report_samples.hostile(), "html"),
    "together": lambda: side_by_side([report_samples.passing(), report_samples.failing()]),
    "compared": lambda: render_comparison(
        compare([report_samples.passing(), report_samples.many(12, name="x" * 42)]), "html"
    ),
}
PAGES |= {
    f"samples_{name}": lambda make=make: render_samples(make(), "html")
    for name, make in samples_reports.ALL.items()
}
PAGES |= {
    f"locate_{name}": lambda make=make: str(render_locate(make(), "html"))
    for name, make in locate_reports.ALL.items()
}
PAGES |= {
    f"track_{name}": lambda make=make: str(render_track(make(), "html"))
    for name, make in track_reports.ALL.items()
}
FEWEST_CHARTS = {"without_site": 0, "samples_undecided": 0, "locate_nothing": 0}
WIDE, NARROW = (1400, "light"), (390, "dark")


@dataclass
class Shown:
    """A page in a tab, and what it said and asked for."""

    tab: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Give a browser for all tests of this file."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Shown]]:
    """Return the function that opens one of PAGES from a file, without a network."""
    contexts: list[Any] = []

    def open_page(name: str, width: int, scheme: str, **options: Any) -> Shown:
        path = tmp_path / f"{name}.html"
        path.write_text(PAGES[name](), "utf-8")
        size = {"width": width, "height": 900}
        context = browser.new_context(
            viewport=size, color_scheme=scheme, reduced_motion="reduce", offline=True, **options
        )
        contexts.append(context)
        shown = Shown(context.new_page())
        shown.tab.on("console", lambda message: shown.said.append(message.text))
        shown.tab.on("pageerror", lambda error: shown.said.append(str(error)))
        shown.tab.on("request", lambda request: shown.asked.append(request.url))
        shown.tab.goto(path.as_uri())
        if options.get("java_script_enabled", True):
            shown.tab.wait_for_selector("html[data-drawn=yes]", state="attached")
        return shown

    yield open_page
    for context in contexts:
        context.close()


def curve_of(tab: Any) -> str:
    """Return the drawn lines of the first model's accuracy over rank."""
    paths = tab.locator("#m0-rank .mark-line path")
    return " ".join(paths.nth(i).get_attribute("d") for i in range(paths.count()))


def open_all(tab: Any) -> None:
    """Open what is folded away, and wait until its charts are drawn."""
    tab.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    tab.wait_for_function(
        "[...document.querySelectorAll('.chart')].every((place) => place.querySelector('svg'))"
    )


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [*((name, *WIDE) for name in PAGES), ("many", *NARROW), ("compared", *NARROW)],
)
def test_page_is_whole_silent_and_accessible(
    show: Callable[..., Shown], name: str, width: int, scheme: str
) -> None:
    shown = show(name, width, scheme)
    open_all(shown.tab)
    assert shown.said == []
    assert [url.split(":")[0] for url in shown.asked] == ["file"]
    charts = shown.tab.locator(".chart")
    assert charts.count() >= FEWEST_CHARTS.get(
        name, 1 if name.startswith(("samples", "locate", "track")) else 4
    )
    assert charts.locator("svg").count() == charts.count()
    assert shown.tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    violations = axe.Axe().run(shown.tab).response["violations"]
    assert [(v["id"], v["nodes"][0]["html"]) for v in violations] == []


def test_mouse_and_keyboard_choose_a_layer(show: Callable[..., Shown]) -> None:
    tab = show("many", *WIDE).tab
    first = curve_of(tab)
    plot = tab.locator("#m0-overview-mixed svg")
    plot.click(position={"x": 20, "y": plot.bounding_box()["height"] / 2})
    chosen = tab.locator("#m0-layer").input_value()
    assert int(chosen) in range(20, 30)
    clicked = curve_of(tab)
    assert clicked != first
    assert "AuC: NMF" in tab.locator("#m0-chosen").inner_text()
    button = tab.get_by_role("button", name="/stage.6/block.1/Relu_output_0")
    button.focus()
    tab.keyboard.press("Enter")
    assert tab.locator("#m0-layer").input_value() == "49"
    assert curve_of(tab) not in (first, clicked)
    assert tab.locator("#m0-rank").is_visible()
    assert button.get_attribute("aria-pressed") == "true"


def test_layers_that_correspond_are_drawn_together(show: Callable[..., Shown]) -> None:
    tab = show("compared", *WIDE).tab
    lines = tab.locator("#t-matched .mark-line path")
    before = lines.evaluate_all("paths => paths.map(path => path.getAttribute('d'))")
    tab.locator("#t-layer").select_option("1")
    tab.wait_for_function(
        "old => { const path = document.querySelector('#t-matched .mark-line path');"
        " return path && path.getAttribute('d') !== old }",
        arg=before[0],
    )
    assert len(before) == lines.count() == 2


def test_classes_are_drawn_on_demand(show: Callable[..., Shown]) -> None:
    tab = show("failing", *WIDE).tab
    lines = tab.locator("#m0-rank .mark-line path")
    before = lines.count()
    tab.locator("#m0-groups").select_option("NMF, single-class")
    tab.wait_for_function(
        "n => document.querySelectorAll('#m0-rank .mark-line path').length >= n", arg=before + 10
    )


def test_without_scripts_the_tables_are_there(show: Callable[..., Shown]) -> None:
    tab = show("failing", *NARROW, java_script_enabled=False).tab
    assert tab.get_by_role("rowheader", name="conv0").is_visible()
    assert tab.get_by_role("cell", name="0.49996").first.is_visible()


def test_dark_pages_print_on_white(show: Callable[..., Shown]) -> None:
    tab = show("failing", *NARROW).tab
    tab.emulate_media(media="print")
    paper = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == "rgb(255, 255, 255)"
    assert not tab.locator("nav").is_visible()
    assert tab.locator("#m0-layer").is_visible()
    mark = tab.locator(".mark.nmf").first
    assert mark.evaluate("e => getComputedStyle(e).printColorAdjust") == "exact"
    assert tab.pdf().startswith(b"%PDF")


def test_samples_are_sorted_and_found(show: Callable[..., Shown]) -> None:
    tab = show("samples_with_curves", *WIDE).tab
    rows = tab.locator("#samples-table tbody tr:visible")
    assert rows.count() == 200
    assert rows.first.locator("th").inner_text().strip() == "sample-0"
    tab.get_by_role("button", name="Margin").click()
    assert rows.first.locator("th").inner_text().strip() == "sample-199"
    tab.get_by_label("Find").fill("class number 7")
    assert 0 < rows.count() < 200
    assert "class number 7" in rows.first.inner_text()
    tab.get_by_label("Find").fill("")
    tab.get_by_label("Show").select_option("not fitted")
    assert rows.count() == 0
    assert tab.locator("#samples-count").inner_text() == "0 of 200 shown"


def test_pictures_of_samples_are_seen(show: Callable[..., Shown]) -> None:
    tab = show("samples_with_images", *WIDE).tab
    box = tab.locator("#samples-table tbody tr:first-child th svg").bounding_box()
    assert box["width"] > 30 and box["height"] > 30


def test_the_headline_is_the_finding(show: Callable[..., Shown]) -> None:
    assert "Gate failed" in show("failing", *NARROW).tab.locator("h1").inner_text()
    assert "Inconclusive" in show("inconclusive", *NARROW).tab.locator("h1").inner_text()
    assert "Mean AuC" in show("compared", *NARROW).tab.locator("h1").inner_text()


def test_a_click_sorts_the_table_of_layers_and_another_turns_it(show: Callable[..., Shown]) -> None:
    tab = show("many", *WIDE).tab
    head = tab.locator("table.layers thead th").filter(has_text="NMF").last
    values = "rows.map((row) => row.querySelectorAll('td.n')[2].dataset.value)"
    cells = f"rows => {values}.filter((text) => text !== '').map(Number)"
    head.get_by_role("button").click()
    rising = tab.locator("table.layers tbody tr").evaluate_all(cells)
    head.get_by_role("button").click()
    falling = tab.locator("table.layers tbody tr").evaluate_all(cells)
    assert rising == sorted(rising) != falling == sorted(falling, reverse=True)
    assert head.get_attribute("aria-sort") == "descending"


def test_whole_scores_are_seen_on_a_phone(show: Callable[..., Shown]) -> None:
    tab = show("many", *NARROW).tab
    cells = tab.locator("table.layers tbody tr").first.locator("td.n:visible")
    assert cells.count() >= 5
    for place in range(cells.count()):
        box = cells.nth(place).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390


def test_fifty_layers_print_on_six_pages(show: Callable[..., Shown]) -> None:
    pdf = show("many", *WIDE).tab.pdf(format="A4")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 6


def test_what_a_comparison_folds_away_is_drawn_when_opened(show: Callable[..., Shown]) -> None:
    tab = show("compared", *WIDE).tab
    assert tab.locator("#m1-rank svg").count() == 0
    tab.get_by_text("all of its layers").last.click()
    tab.wait_for_selector("#m1-rank svg")


def test_a_gate_is_a_line_in_the_overview_of_its_batches(show: Callable[..., Shown]) -> None:
    tab = show("failing", *WIDE).tab
    keys = [gate.key for gate in report_samples.failing().gates]
    for batch in ("class", "mixed"):
        wanted = sum(key.endswith(f".{batch}") for key in keys)
        lines = tab.locator(f"#m0-overview-{batch} svg line[stroke='#c94a4a']")
        assert lines.count() == wanted
    assert keys
