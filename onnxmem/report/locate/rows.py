"""Layers in their order, and the rows of tables and charts about them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from onnxmem.report.locate.words import layer_name, number, share
from onnxmem.text import printable

if TYPE_CHECKING:
    from onnxmem.records import LocateReport

INPUT = "input"
CLEAN, SUSPECTS = "others", "suspects"
NETWORK, CHECKPOINT = "network", "checkpoint"
PERMUTED = "permuted labels"
Row = dict[str, Any]


def places(report: LocateReport) -> dict[str, int]:
    """Return the number of each layer: 0 is the input, the last one the output."""
    names = [INPUT, *(one.tensor for one in report.depth.layers)]
    names += [one.tensor for one in report.probes.layers]
    if report.rewinding is not None:
        names += [one.to for one in report.rewinding.segments]
    names += [one.to for account in report.gradients for one in account.layers]
    return {name: place for place, name in enumerate(dict.fromkeys(names))}


def labels(report: LocateReport, length: int = 40) -> dict[str, str]:
    """Return what each layer is called in tables and charts, all of them different."""
    return {name: f"{place} {layer_name(name, length)}" for name, place in places(report).items()}


def tables(report: LocateReport) -> Iterator[tuple[str, str, list[str], list[list[str]]]]:
    """Yield key, title, heads and rows of a table for each part that has something to tell."""
    called = labels(report)
    if report.rewinding is not None and report.rewinding.segments:
        yield "rewinding", "With a segment of the checkpoint", *_rewinding(report, called)
    if report.depth.layers:
        heads = ["Neighbours agree with the label", "all", SUSPECTS]
        rows = [
            [
                _reasoned(called[one.tensor], one.reason),
                share(one.own_agreement),
                share(one.suspects_agreement),
            ]
            for one in report.depth.layers
        ]
        yield "depth", "Where labels settle", heads, rows
    if report.probes.layers:
        heads = ["A linear probe reads the label", CLEAN, SUSPECTS, PERMUTED]
        rows = [
            [
                _reasoned(called[one.tensor], one.reason),
                share(one.clean_accuracy),
                share(one.suspect_accuracy),
                share(one.permuted_accuracy),
            ]
            for one in report.probes.layers
        ]
        yield "probes", "What a linear probe reads", heads, rows
    for account in report.gradients:
        if account.layers:
            heads = [f"Gradients at the {account.model}", CLEAN, SUSPECTS, "ratio", "cosine"]
            rows = [
                [
                    _reasoned(called[one.to], one.reason),
                    number(one.clean_norm, ".2g"),
                    number(one.suspect_norm, ".2g"),
                    number(one.ratio),
                    number(one.cosine),
                ]
                for one in account.layers
            ]
            yield f"gradients-{account.model}", f"Gradients at the {account.model}", heads, rows
    if report.units is not None and report.units.samples:
        yield "units", "Units to flip", *_units(report)


def _rewinding(report: LocateReport, called: dict[str, str]) -> tuple[list[str], list[list[str]]]:
    rewinding = report.rewinding
    assert rewinding is not None
    whole = (("nothing", rewinding.network), ("all of it", rewinding.rewound))
    first, last = ([name, share(one.clean), share(one.suspect)] for name, one in whole)
    rows = [
        [
            _reasoned(f"up to {called[one.to]}", one.reason),
            share(one.clean_accuracy),
            share(one.suspect_accuracy),
        ]
        for one in rewinding.segments
    ]
    return ["From the checkpoint", CLEAN, SUSPECTS], [first, *rows, last]


def _units(report: LocateReport) -> tuple[list[str], list[list[str]]]:
    units = report.units
    assert units is not None
    pair = (units.clean, units.suspect)
    rows = [
        ["samples", *(str(one.samples) for one in pair)],
        ["margin", *(number(one.margin) for one in pair)],
        ["units", *(_median(one.units, units.most) for one in pair)],
        ["drawn units", *(_median(one.random_units, units.most) for one in pair)],
        ["other answers changed", *(share(one.harm) for one in pair)],
        ["the same with drawn units", *(share(one.random_harm) for one in pair)],
    ]
    rows += [
        [f"units in {layer_name(one.tensor)}", share(one.clean_share), share(one.suspect_share)]
        for one in units.layers
    ]
    return ["Units to flip (medians)", CLEAN, SUSPECTS], rows


def _median(value: float | None, most: int) -> str:
    return f"> {most}" if value is None else f"{value:g}"


def _reasoned(name: str, reason: str) -> str:
    return f"{name}: {printable(reason, 160)}" if reason else name


def chart_rows(report: LocateReport) -> dict[str, list[Row]]:
    """Return the rows of all charts: a value for a layer and a series."""
    called, where = labels(report, 28), places(report)

    def row(tensor: str, series: str, value: float | None) -> Iterator[Row]:
        if value is not None:
            yield {
                "layer": called[tensor],
                "number": where[tensor],
                "series": series,
                "value": value,
            }

    names = ("rewinding", "depth", "probes", "ratio", "cosine")
    found: dict[str, list[Row]] = {name: [] for name in names}
    for segment in () if report.rewinding is None else report.rewinding.segments:
        found["rewinding"] += row(segment.to, CLEAN, segment.clean_accuracy)
        found["rewinding"] += row(segment.to, SUSPECTS, segment.suspect_accuracy)
    for layer in report.depth.layers:
        found["depth"] += row(layer.tensor, "all", layer.own_agreement)
        found["depth"] += row(layer.tensor, SUSPECTS, layer.suspects_agreement)
    for probe in report.probes.layers:
        found["probes"] += row(probe.tensor, CLEAN, probe.clean_accuracy)
        found["probes"] += row(probe.tensor, SUSPECTS, probe.suspect_accuracy)
        found["probes"] += row(probe.tensor, PERMUTED, probe.permuted_accuracy)
    for account in report.gradients:
        for one in account.layers:
            found["ratio"] += row(one.to, account.model, one.ratio)
            found["cosine"] += row(one.to, account.model, one.cosine)
    return {name: rows for name, rows in found.items() if rows}
