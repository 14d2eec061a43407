"""Settings are checked when they are made."""

from __future__ import annotations

import json
from typing import Any

import pytest

from onnxmem.auditing import Settings, parse_ranks
from onnxmem.errors import UsageError
from onnxmem.sizes import parse_size, size_text


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
        {"memory": 0},
        {"memory": -1},
        {"seed": -1},
        {"fail_under": {"nmf": 0.5}},
        {"fail_under": {"nmf.mixed": 1.5}},
        {"fail_under": {"nmf.mixed": float("nan")}},
        {"compress": ("pca",), "fail_under": {"nmf.mixed": 0.5}},
        {"max_drop": -0.1},
        {"min_accuracy": 2.0},
    ],
)
def test_wrong_value(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Settings(**wrong)


@pytest.mark.parametrize(("text", "ranks"), [("auto", "auto"), ("1", (1,)), ("8,1, 2", (1, 2, 8))])
def test_ranks(text: str, ranks: object) -> None:
    assert parse_ranks(text) == ranks


@pytest.mark.parametrize("text", ["", "0", "-1", "1,,2", "1.5", "1;2", "all", "2,1,2"])
def test_wrong_ranks(text: str) -> None:
    with pytest.raises(UsageError, match="--ranks"):
        parse_ranks(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1", 1),
        ("4096", 4096),
        ("4k", 4096),
        ("4 KiB", 4096),
        ("512M", 2**29),
        ("1.5G", 3 * 2**29),
        ("2GB", 2**31),
        ("1T", 2**40),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0.0 KiB"),
        (20 * 2**10, "20.0 KiB"),
        (2**20 - 1, "1024.0 KiB"),
        (3 * 2**29, "1.5 GiB"),
        (2**52, "4096.0 TiB"),
    ],
)
def test_sizes_are_written_in_a_unit_that_fits(size: int, text: str) -> None:
    assert size_text(size) == text


@pytest.mark.parametrize("text", ["", "G", "-1", "0", "0.0G", "1e9", "2X", "2 G B"])
def test_wrong_sizes(text: str) -> None:
    with pytest.raises(UsageError, match="--memory"):
        parse_size(text)
