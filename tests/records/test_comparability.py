"""Scores are compared where reports measured the same thing, and what differs is named."""

from __future__ import annotations

from dataclasses import replace

import pytest
import report_samples

from onnxmem.errors import UsageError
from onnxmem.records.comparability import check_comparable, differing

ONE = report_samples.passing()


def test_equal_reports_differ_in_nothing() -> None:
    assert differing([ONE, ONE]) == []
    check_comparable(ONE.data, ONE.settings, ONE)


@pytest.mark.parametrize("name", ["seed", "per_class", "layers"])
def test_a_setting_that_changes_scores_is_named(name: str) -> None:
    other = replace(ONE, settings=ONE.settings | {name: 7})
    assert differing([ONE, other]) == [name]


def test_samples_may_be_known_to_be_the_same() -> None:
    other = replace(ONE, data=replace(ONE.data, sha256="beef"))
    assert differing([ONE, other]) == ["data"]
    assert differing([ONE, other], same_data=True) == []


def test_what_measured_nothing_differs_in_nothing() -> None:
    refused = report_samples.without_site()
    assert differing([ONE, refused]) == []
    with pytest.raises(UsageError, match="measured nothing"):
        check_comparable(ONE.data, ONE.settings, refused)


def test_both_sides_of_a_difference_to_a_baseline_are_told() -> None:
    other = replace(ONE, settings=ONE.settings | {"per_class": 7})
    with pytest.raises(UsageError, match=r"per_class differ \(7 there, \d+ here\)"):
        check_comparable(ONE.data, ONE.settings, other)
