"""Sizes as people write them, read and written."""

from __future__ import annotations

import pytest

from onnxmem.errors import UsageError
from onnxmem.sizes import parse_size, size_text


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
def test_sizes_are_read_in_powers_of_1024(text: str, size: int) -> None:
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
def test_what_is_no_size_is_refused_by_the_name_of_its_option(text: str) -> None:
    with pytest.raises(UsageError, match="--memory"):
        parse_size(text)
