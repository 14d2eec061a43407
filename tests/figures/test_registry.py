"""Every figure is there, can be drawn of what ships, and says how its claim is judged."""

from __future__ import annotations

import pytest

from onnxmem.errors import UsageError
from onnxmem.figures import FIGURES, figure, shipped
from onnxmem.figures.figure import verdict_of


def test_all_figures_of_the_paper_are_there() -> None:
    assert list(FIGURES) == [*(f"fig{number}" for number in range(1, 12)), "table2"]


@pytest.mark.parametrize("name", FIGURES)
def test_each_is_drawn_of_networks_that_ship(name: str) -> None:
    one = figure(name)
    assert len(shipped(one.networks)) >= 2
    assert one.claim.endswith(".") and "holds" in one.made


def test_unknown_names_are_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"'fig12'; there are fig1, "):
        figure("fig12")


@pytest.mark.parametrize(
    ("agree", "verdict"),
    [
        ([True, True], "holds"),
        ([True, False], "holds in part"),
        ([True, False, False], "does not hold"),
        ([False], "does not hold"),
    ],
)
def test_a_claim_holds_in_part_from_half_of_the_trials_on(agree: list[bool], verdict: str) -> None:
    assert verdict_of(agree) == verdict
