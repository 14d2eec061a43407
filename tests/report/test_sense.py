"""A report that no audit could have written is refused, and the field that tells is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import report_samples

from onnxmem.errors import DataError
from onnxmem.records import Report
from onnxmem.report import load, sense

Change = Callable[[dict[str, Any]], Any]


def first_curve(values: dict[str, Any]) -> dict[str, Any]:
    curve: dict[str, Any] = values["layers"][0]["curves"][0]
    return curve


def test_samples_make_sense(any_report: Report) -> None:
    sense.check(any_report)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v: first_curve(v)["accuracy"].pop(), "curves[0].accuracy has 9 values for 10"),
        (lambda v: first_curve(v)["error"].append(0.1), "curves[0].error has 11 values"),
        (lambda v: first_curve(v)["x"].reverse(), "x does not rise"),
        (lambda v: first_curve(v).update(x=[], accuracy=[], error=[]), "x is empty"),
        (lambda v: first_curve(v)["x"].__setitem__(0, 0.5), "no rank"),
        (lambda v: first_curve(v)["accuracy"].__setitem__(2, 1.5), "accuracy holds 1.5"),
        (lambda v: first_curve(v)["error"].__setitem__(0, -1), "below 0"),
        (lambda v: first_curve(v).update(auc=-3), "auc holds -3"),
        (lambda v: first_curve(v).update(x_name="fraction"), "x_name is 'fraction' for nmf"),
        (lambda v: first_curve(v)["groups"][1].update(label=0), "names a label twice"),
        (lambda v: first_curve(v)["groups"][0].update(samples=0), "no samples"),
        (lambda v: first_curve(v)["groups"][0]["accuracy"].pop(), "groups[0].accuracy has 9"),
        (lambda v: v["layers"][0]["curves"].append(first_curve(v)), "two curves of one kind"),
        (lambda v: v["baseline"].update(value=2), "baseline.value holds 2"),
        (lambda v: v["data"].update(samples=-1), "less than nothing"),
        (lambda v: v["summary"]["nmf.mixed"].update(layers_scored=-1), "counts less than"),
        (lambda v: v["summary"]["nmf.mixed"].update(auc=7), "summary['nmf.mixed'].auc holds 7"),
        (lambda v: first_curve(v).update(auc_high=7), "bounds holds 7"),
        (lambda v: v["summary"].update({"x": v["summary"]["nmf.mixed"]}), "no score"),
        (lambda v: v["timings"].update(load=-1), "no time"),
    ],
)
def test_nonsense_is_one_line_that_names_the_field(
    change: Change, words: str, tmp_path: Path
) -> None:
    values = report_samples.passing().to_dict()
    change(values)
    path = tmp_path / "r.json"
    path.write_text(json.dumps(values))
    with pytest.raises(DataError) as caught:
        load(path)
    message = str(caught.value)
    assert words in message and "r.json" in message and "\n" not in message
