"""Names of others become one harmless line, and the sentence says what was measured."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import report_samples
from hypothesis import given
from hypothesis import strategies as st

from onnxmem.records import Report
from onnxmem.report import sentence
from onnxmem.report.words import (
    leading_key,
    shape,
    worst_first,
)
from onnxmem.text import printable

HIDDEN = {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"}


@given(st.text(), st.integers(3, 200))
def test_a_printable_text_is_short_and_has_nothing_hidden(text: str, length: int) -> None:
    shown = printable(text, length)
    assert len(shown) <= length
    assert not {unicodedata.category(character) for character in shown} & HIDDEN


@given(st.text(st.characters(categories=["L", "N", "P"]), max_size=80))
def test_a_plain_text_is_left_as_it_is(text: str) -> None:
    assert printable(text) == text


def test_a_long_name_keeps_both_ends() -> None:
    shown = printable("begin" + "x" * 10_000 + "end", 40)
    assert shown.startswith("begin") and shown.endswith("end") and len(shown) == 40


def test_marks_that_turn_text_around_are_spelled_out() -> None:
    assert printable("a\u202eb") == "a\\u202eb"


def test_a_pile_of_accents_is_cut() -> None:
    assert len(printable("Z" + "\u0301" * 70)) == 3


def test_the_sentence_is_one_line_with_the_counts_and_the_verdict() -> None:
    text = sentence(report_samples.partly_skipped())
    assert "cnn-clean.onnx was audited on 300 samples of 10 classes" in text
    assert "top-1 accuracy 0.993, guessing 0.100" in text
    assert "of 3 ReLU layers, 1 scored, 1 saturated, 1 skipped" in text
    assert "mean AuC (NMF, mixed)" in text and "95 % interval" in text
    assert text.endswith("verdict: none, no gate was set.")


def test_the_sentence_of_any_report_is_one_line(any_report: Report) -> None:
    assert "\n" not in sentence(any_report)


def test_without_a_mean_the_sentence_gives_no_number() -> None:
    report = report_samples.report((report_samples.skipped(0, "relu"),))
    assert "AuC" not in sentence(report)
    assert "; 1 ReLU layer, skipped;" in sentence(report)


def test_the_worst_layer_comes_first_and_the_skipped_one_last() -> None:
    layers = (
        report_samples.skipped(0, "skipped"),
        report_samples.saturated(1, "saturated"),
        report_samples.layer(2, "good", 0.7),
        report_samples.layer(3, "bad", 0.1),
    )
    names = [layer.tensor for layer in worst_first(report_samples.report(layers))]
    assert names == ["bad", "good", "saturated", "skipped"]


def test_nmf_on_mixed_batches_leads_where_it_was_measured() -> None:
    report = report_samples.passing()
    assert leading_key(report) == "nmf.mixed"
    curves = tuple(c for c in report.layers[0].curves if c.compressor == "pca")
    assert leading_key(replace(report, layers=(replace(report.layers[0], curves=curves),))) == (
        "pca.mixed"
    )
    assert leading_key(report_samples.empty()) is None


def test_an_unknown_shape_is_a_question_mark() -> None:
    layer = report_samples.layer(0, "relu", 0.5)
    assert shape(layer.shape) == "?×64×8×8"
    assert shape(None) == "?"


def test_notes_on_the_data_are_said() -> None:
    report = report_samples.passing()
    changed = replace(report, data=replace(report.data, notes=("input 'x': axis\n1 moved",)))
    assert "; input 'x': axis\\n1 moved" in sentence(changed)


def test_ranks_that_were_chosen_stand_beside_the_width_of_the_layers() -> None:
    narrow = report_samples.layer(0, "narrow", 0.5)
    wide = replace(narrow, tensor="wide", shape=(None, 96, 8, 8))
    one, two = report_samples.report((narrow,)), report_samples.report((narrow, wide))

    def said(report: Report, *ranks: int) -> str:
        return sentence(replace(report, settings=report.settings | {"ranks": list(ranks)}))

    assert "covers the ranks 1 to 2 alone (--ranks); layers are 64 wide; verdict" in said(one, 1, 2)
    assert "covers rank 64 alone (--ranks); layers are 64 to 96 wide; verdict" in said(two, 64)
    assert "96 wide, and ranks beyond a layer's width raise its AuC; verdict" in said(two, 1, 65)
    assert "covers" not in sentence(two)
    assert "covers" not in said(report_samples.report((report_samples.skipped(0, "relu"),)), 1, 2)
