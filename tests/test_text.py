"""Text of others in a line of ours, and in JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxmem.text import capitalized, file_name, json_text, listed

STEERING = [*map(chr, range(0x7F, 0xA0)), *"\u200e\u200f\u2028\u202a\u202e\u2066\u2069"]


def test_long_lists_say_how_many_more_there_are() -> None:
    assert listed([]) == ""
    assert listed(["a", "b"]) == "a, b"
    assert listed(list("abcde")) == "a, b, c, d, e"
    assert listed(list("abcdef")) == "a, b, c, d, e and 1 more"
    assert listed({"a": 1, "b": 2, "c": 3}, most=2) == "a, b and 1 more"


@given(st.text(st.characters() | st.sampled_from(STEERING)))
def test_json_gives_a_text_back_and_hides_nothing_in_it(text: str) -> None:
    written = json_text({text: [text]})
    assert json.loads(written.encode("utf-8")) == {text: [text]}
    assert not set(written) & {*STEERING, "\x1b", "\r"}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/a/b/net.onnx", "net.onnx"),
        ("C:\\a\\net.onnx", "net.onnx"),
        ("net", "net"),
        ("/", "/"),
    ],
)
def test_a_file_name_is_the_last_part_of_a_path(path: str, name: str) -> None:
    assert file_name(path) == name


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("every curve is saturated", "Every curve is saturated"),
        ("net.onnx is at chance", "net.onnx is at chance"),
        ("p00 keeps more", "p00 keeps more"),
        ("single-class batches", "Single-class batches"),
        ("", ""),
    ],
)
def test_sentences_begin_with_a_capital_and_names_stay_as_they_are(text: str, written: str) -> None:
    assert capitalized(text) == written
