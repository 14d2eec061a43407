"""The picture is drawn from the page's charts, without a browser or a network."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as xml

import pytest
import report_samples

from onnxmem.comparing import compare
from onnxmem.errors import UsageError
from onnxmem.records import CACHED_LAYERS
from onnxmem.report import image
from onnxmem.report.charts import times
from onnxmem.report.picture import MOST_PANELS, comparison_spec, picture_spec
from onnxmem.report.words import BATCHES, COMPRESSORS


@pytest.mark.parametrize("name", ["partly_skipped", "empty", "hostile"])
def test_a_png_and_an_svg_are_drawn(name: str) -> None:
    report = report_samples.ALL[name]()
    assert image(report, "png").startswith(b"\x89PNG\r\n\x1a\n")
    assert xml.fromstring(image(report, "svg")).tag.endswith("svg")


def test_the_svg_names_every_layer() -> None:
    text = image(report_samples.partly_skipped(), "svg").decode()
    for name in ("1 relu1", "2 relu2", "3 relu3", "skipped: the tail needs"):
        assert name in text


@pytest.mark.parametrize("measured", [("ablation",), ("nmf",), ("nmf", "ablation")])
def test_the_legend_names_what_was_measured_and_nothing_else(measured: tuple[str, ...]) -> None:
    whole = report_samples.partly_skipped()
    keys = {f"{name}.mixed" for name in measured}
    layers = tuple(
        replace(one, curves=tuple(curve for curve in one.curves if curve.key in keys))
        for one in whole.layers
    )
    root = xml.fromstring(image(replace(whole, layers=layers, summary={}), "svg"))
    texts = {element.text for element in root.iter() if element.tag.endswith("text")}
    assert texts & set(COMPRESSORS.values()) == {COMPRESSORS[one] for one in measured}
    assert texts & set(BATCHES.values()) == {"mixed"}


def test_the_axis_of_seconds_does_not_count_cached_layers() -> None:
    whole = report_samples.partly_skipped()
    report = replace(whole, timings={"head": 2.0, CACHED_LAYERS: 50.0})
    axis = times(report).to_dict()["layer"][0]["encoding"]["x"]
    assert axis["scale"]["domain"][1] < 3


def test_the_svg_holds_no_link_and_no_script() -> None:
    root = xml.fromstring(image(report_samples.hostile(), "svg"))
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert not tags & {"script", "a", "image", "foreignObject", "use"}


def test_many_layers_are_limited_to_the_worst() -> None:
    spec = picture_spec(report_samples.many(MOST_PANELS + 20))
    facets = [panel for panel in spec["vconcat"] if "facet" in panel]
    assert all(len(panel["facet"]["sort"]) <= MOST_PANELS for panel in facets)
    assert facets


@pytest.mark.parametrize("name", ["partly_skipped", "refused", "hostile"])
def test_a_comparison_is_drawn_without_links_or_scripts(name: str) -> None:
    report = report_samples.ALL[name]()
    comparison = compare([report, report])
    assert image(comparison, "png").startswith(b"\x89PNG\r\n\x1a\n")
    tags = {e.tag.rpartition("}")[2] for e in xml.fromstring(image(comparison, "svg")).iter()}
    assert not tags & {"script", "a", "image", "foreignObject", "use"}


def test_a_comparison_shows_layers_that_correspond_in_one_panel() -> None:
    clean = report_samples.report((report_samples.layer(0, "a/relu", 0.6),), path="clean.onnx")
    noisy = report_samples.report((report_samples.layer(0, "b/relu", 0.3),), path="noisy.onnx")
    rows = comparison_spec(compare([clean, noisy]))["datasets"]["matched"]
    assert [(row["row"], row["model"]) for row in rows] == [
        ("1 a/relu", "clean.onnx"),
        ("1 a/relu", "noisy.onnx"),
    ]
    for row, report in zip(rows, (clean, noisy), strict=True):
        (curve,) = (c for c in report.layers[0].curves if c.key == "nmf.mixed")
        assert row["x"] == list(curve.x)
        assert row["accuracy"] == pytest.approx(curve.accuracy, abs=1e-4)


def test_pictures_say_how_many_layers_they_leave_out() -> None:
    report = report_samples.many(MOST_PANELS + 2)
    assert f"the {MOST_PANELS} layers with the lowest AuC" in str(picture_spec(report))
    comparison = compare([report, report])
    expected = f"the first {MOST_PANELS} of {MOST_PANELS + 2} layers"
    assert expected in str(comparison_spec(comparison))


def test_an_unknown_kind_is_an_error_of_usage() -> None:
    with pytest.raises(UsageError, match="png or svg"):
        image(report_samples.empty(), "pdf")  # type: ignore[arg-type]
