"""Settings are checked when they are made."""

from __future__ import annotations

import json
from typing import Any

import pytest

from onnxmem.auditing import Settings
from onnxmem.compression.settings import parse_ranks
from onnxmem.errors import UsageError


def test_defaults_are_those_of_the_contract() -> None:
    values = Settings().to_dict()
    assert values["compress"] == ["nmf", "pca", "ablation"]
    assert values["batch"] == ["class", "mixed"]
    assert (values["per_class"], values["ranks"], values["seed"]) == (30, "auto", 0)
    assert (values["device"], values["memory"]) == ("auto", "auto")
    assert json.loads(json.dumps(values)) == values


@pytest.mark.parametrize(
    "wrong",
    [
        {"compress": ()},
        {"compress": ("svd",)},
        {"batch": ("all",)},
        {"metric": "top5"},
        {"per_class": 1},
        {"ranks": ()},
        {"ranks": (0, 1)},
        {"ranks": (1, 2**31)},
        {"memory": 0},
        {"memory": -1},
        {"seed": -1},
        {"fail_under": {"nmf": 0.5}},
        {"fail_under": {"nmf.mixed": 1.5}},
        {"fail_under": {"nmf.mixed": float("nan")}},
        {"compress": ("pca",), "fail_under": {"nmf.mixed": 0.5}},
        {"max_drop": -0.1},
        {"min_accuracy": 2.0},
        {"min_accuracy": "high"},
        {"per_class": "10"},
        {"per_class": 2.5},
        {"seed": None},
        {"memory": "2G"},
        {"fail_under": {"nmf.mixed": None}},
    ],
)
def test_a_value_that_makes_no_audit_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Settings(**wrong)


@pytest.mark.parametrize(("text", "ranks"), [("auto", "auto"), ("1", (1,)), ("8,1, 2", (1, 2, 8))])
def test_ranks_are_read_as_ascending_numbers_or_auto(text: str, ranks: object) -> None:
    assert parse_ranks(text) == ranks


@pytest.mark.parametrize("text", ["", "0", "-1", "1,,2", "1.5", "1;2", "all", "2,1,2"])
def test_ranks_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--ranks"):
        parse_ranks(text)
