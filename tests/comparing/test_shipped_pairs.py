"""Networks that ship, from two starts on the same labels: likeness falls with random labels."""

from __future__ import annotations

import pytest

from onnxmem import models
from onnxmem.auditing import Settings
from onnxmem.comparing.together import compare_models
from onnxmem.data import load
from onnxmem.findings import likeness_findings
from onnxmem.records import Comparison

QUICK = Settings(
    compress=("pca",), ranks=(1, 4), batch=("mixed",), per_class=10, samples=False, device="cpu"
)


def pair(p: str) -> Comparison:
    one, other = models.network(f"vowels-mlp-{p}"), models.network(f"vowels-mlp-init1-{p}")
    return compare_models([one.path, other.path], load(one.data_path), QUICK)


def numbers(found: Comparison) -> tuple[float, float]:
    cka, kappa = found.similarity[-1].cka, found.predictions[0].kappa
    assert found.similarity[-1].kind == "output" and cka is not None and kappa is not None
    return cka, kappa


def test_likeness_falls_with_the_share_of_random_labels() -> None:
    true, half, random = map(pair, ("p00", "p40", "p100"))
    first, middle, last = map(numbers, (true, half, random))
    assert first[0] > middle[0] > last[0] and first[1] > middle[1] > last[1]
    assert first[0] - last[0] > 0.3 and first[1] - last[1] > 0.3
    assert "learned alike" in likeness_findings(true)[0]
    assert "learned alike" not in likeness_findings(random)[0]
    early = [found.similarity[0].cka for found in (true, random)]
    assert early == pytest.approx([0.96, 0.96], abs=0.04)
