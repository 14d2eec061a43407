"""Text of others in a line of ours."""

from __future__ import annotations

from onnxmem.text import listed


def test_long_lists_say_how_many_more_there_are() -> None:
    assert listed([]) == ""
    assert listed(["a", "b"]) == "a, b"
    assert listed(list("abcde")) == "a, b, c, d, e"
    assert listed(list("abcdef")) == "a, b, c, d, e and 1 more"
    assert listed({"a": 1, "b": 2, "c": 3}, most=2) == "a, b and 1 more"
