"""One sentence for all models."""

from __future__ import annotations

from dataclasses import replace

import pytest
from report_samples import layer, report

from onnxmem.comparing import Comparison, compare
from onnxmem.findings import comparison_findings, comparison_headline, short_names
from onnxmem.records import Report


def of(name: str, auc: float, low: float, high: float, **others: float) -> Report:
    """Return a report with one mean AuC, and those of other compressors without intervals."""
    made = report((layer(0, "relu", auc),), path=name)
    summary = dict(made.summary)
    summary["nmf.mixed"] = replace(summary["nmf.mixed"], auc=auc, auc_low=low, auc_high=high)
    for key, value in others.items():
        score = summary[f"{key}.mixed"]
        summary[f"{key}.mixed"] = replace(score, auc=value, auc_low=value, auc_high=value)
    return replace(made, summary=summary)


def three(**others: float) -> Comparison:
    return compare(
        [
            of("net-p20.onnx", 0.6, 0.58, 0.62, pca=0.7, ablation=0.65),
            of("net-p00.onnx", 0.8, 0.78, 0.82, pca=0.9, ablation=0.85),
            of("net-p40.onnx", 0.59, 0.57, 0.61, pca=others.get("pca", 0.69), ablation=0.6),
        ]
    )


def test_models_come_by_falling_auc_with_what_their_intervals_tell_apart() -> None:
    assert "falls p00 0.800 > p20 0.600 ≈ p40 0.590; " in comparison_headline(three())


def test_compressors_that_agree_are_named() -> None:
    assert comparison_headline(three()).endswith("NMF, PCA and ablation agree")


def test_a_compressor_counts_as_another_order_only_where_both_tell_models_apart() -> None:
    # PCA puts p40 above p20, which NMF does not tell apart.
    assert comparison_headline(three(pca=0.75)).endswith("NMF, PCA and ablation agree")
    assert comparison_headline(three(pca=0.95)).endswith("PCA orders them otherwise")


def test_ablation_is_told_once() -> None:
    assert not [one for one in comparison_findings(three()) if one.key == "ablation.class"]


def test_models_that_are_alike_do_not_fall() -> None:
    same = compare([of("a.onnx", 0.6, 0.5, 0.7), of("b.onnx", 0.58, 0.5, 0.7)])
    assert "is alike within its intervals: a 0.600 ≈ b 0.580" in comparison_headline(same)


def test_many_models_are_told_by_their_ends() -> None:
    many = compare([of(f"n{i:02d}.onnx", i / 20, i / 20, i / 20) for i in range(1, 13)])
    headline = comparison_headline(many)
    assert "… 6 more …" in headline
    assert headline.index("12 0.600") < headline.index("01 0.050")
    assert "0.300" not in headline


@pytest.mark.parametrize(
    ("models", "short"),
    [
        (("cnn-p00.onnx", "cnn-p100.onnx"), ["p00", "p100"]),
        (("clean.onnx", "noisy.onnx"), ["clean", "noisy"]),
        (("a.onnx", "a.onnx #2"), ["a.onnx", "a.onnx #2"]),
        (("net_1.onnx", "net_1_b.onnx"), ["1", "1_b"]),
        (("one.onnx",), ["one.onnx"]),
    ],
)
def test_names_lose_what_all_share(models: tuple[str, ...], short: list[str]) -> None:
    assert short_names(models) == short
