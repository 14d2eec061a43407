"""What neighbours tell, in sentences that say what the record says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from samples_reports import evidence

from onnxmem.findings import evidence_findings, headline
from onnxmem.findings.numbers import percent, percents
from onnxmem.records import Evidence, LabelNoise


def test_the_headline_has_both_numbers_with_their_intervals() -> None:
    assert headline(evidence()) == (
        "memorized 23 % (20–26 %) of its 1,200 training samples; "
        "label noise found, about 16 % (9–21 %)"
    )


@pytest.mark.parametrize(
    ("noise", "said"),
    [
        (LabelNoise(False, "", 0.01, 0.02, 0.0, 0.05, 1.0), "no label noise found"),
        (
            LabelNoise(None, "2 classes are too few", None, None, None, None, 1.0),
            "whether labels are wrong cannot be told: 2 classes are too few",
        ),
    ],
)
def test_noise_that_is_not_found_or_undecided_is_said_so(noise: LabelNoise, said: str) -> None:
    found = evidence()
    assert found.network is not None
    changed = replace(found, network=replace(found.network, label_noise=noise))
    assert headline(changed).endswith(said)


def test_noise_that_was_not_memorized_is_told() -> None:
    found = evidence()
    assert found.network is not None
    noise = replace(found.network.label_noise, suspects_fitted=0.14)
    changed = replace(found, network=replace(found.network, label_noise=noise))
    (told,) = (one for one in evidence_findings(changed) if one.key == "suspects_fitted")
    assert "14 %" in told.sentence and "was not memorized" in told.sentence


def test_without_numbers_the_reason_is_the_headline() -> None:
    nothing = Evidence(None, (), (), "12 different training samples are too few")
    assert evidence_findings(nothing) == []
    assert headline(nothing).endswith("cannot be told: 12 different training samples are too few")


def test_every_finding_has_the_number_of_its_record() -> None:
    found = evidence()
    by_key = {one.key: one for one in evidence_findings(found)}
    network = found.network
    assert network is not None
    for key in ("memorized_share", "strong_share", "held_out_disagreement"):
        share = getattr(network, key)
        assert (by_key[key].value, by_key[key].low, by_key[key].high) == (
            share.value, share.low, share.high,
        )  # fmt: skip
    assert by_key["label_noise"].value == network.label_noise.estimate
    assert by_key["memorized_share"].caution


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, "0 %"), (0.001, "under 1 %"), (0.126, "13 %"), (1.0, "100 %")]
)
def test_shares_are_whole_percents(share: float, text: str) -> None:
    assert percent(share) == text


def test_intervals_are_percents() -> None:
    assert percents(0.2, 0.264) == "20–26 %"
