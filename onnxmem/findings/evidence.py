"""What the neighbours of training samples tell, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from onnxmem.findings.finding import Finding
from onnxmem.findings.numbers import counted, percent, percents
from onnxmem.text import printable

if TYPE_CHECKING:
    from onnxmem.records import (
        Comparison,
        Estimate,
        Evidence,
        LabelNoise,
        NetworkEvidence,
        SamplesReport,
    )

NOT_MEMORIZED = 0.5
"""A share of suspects that are fitted, below which noise is there and was not memorized."""

_NOT_MISLABELLED = (
    "a memorized sample is not a mislabelled one: hard samples with the right label are among them"
)


def headline(evidence: Evidence | SamplesReport) -> str:
    """Return the two numbers of the network in one sentence, without its subject."""
    if evidence.network is None:
        return f"which samples it memorized cannot be told: {printable(evidence.reason, 300)}"
    share, noise, *_ = evidence_findings(evidence)
    return f"{share.sentence}; {noise.sentence}"


def evidence_findings(evidence: Evidence | SamplesReport) -> list[Finding]:
    """Return all findings, the two numbers of the network first; none where it has no numbers."""
    return [] if evidence.network is None else list(_findings(evidence.network))


def two_numbers(comparison: Comparison) -> list[tuple[str, str, str]]:
    """Return model, memorized share and label noise of each model; nothing where none has them.

    Unlike AuCs they can be compared whatever the architectures are.
    """
    found = [one.evidence for one in comparison.reports]
    if all(one is None or one.network is None for one in found):
        return []
    return [
        (name, *_of_one(evidence)) for name, evidence in zip(comparison.models, found, strict=True)
    ]


def _of_one(evidence: Evidence | None) -> tuple[str, str]:
    if evidence is None or evidence.network is None:
        return "not told", "not told"
    share, noise = evidence.network.memorized_share, evidence.network.label_noise
    told = f"{percent(share.value)} ({percents(share.low, share.high)})"
    if noise.found is None or noise.estimate is None or noise.low is None or noise.high is None:
        return told, "undecided"
    if not noise.found:
        return told, "not found"
    return told, f"found, {percent(noise.estimate)} ({percents(noise.low, noise.high)})"


def _findings(network: NetworkEvidence) -> Iterator[Finding]:
    samples = counted(network.samples, "training sample")
    yield _share("memorized_share", f"of its {samples}", network.memorized_share, "memorized")
    yield _noise(network.label_noise)
    if network.label_noise.found and (fitted := network.label_noise.suspects_fitted) is not None:
        yield _fitted(fitted)
    yield _share("strong_share", "of them", network.strong_share, "strongly memorized")
    if (held := network.held_out_disagreement) is not None:
        others = counted(network.held_out_samples, "held-out sample")
        yield Finding(
            key="held_out_disagreement",
            sentence=(
                f"disagrees with the neighbours of {percent(held.value)} "
                f"({percents(held.low, held.high)}) of {others}"
            ),
            value=held.value,
            low=held.low,
            high=held.high,
            caution="neighbours are no judges of what is right",
        )


def _share(key: str, among: str, share: Estimate, verb: str) -> Finding:
    return Finding(
        key=key,
        sentence=f"{verb} {percent(share.value)} ({percents(share.low, share.high)}) {among}",
        value=share.value,
        low=share.low,
        high=share.high,
        caution=_NOT_MISLABELLED,
        follow="onnxmem samples MODEL --data DATA --html samples.html",
    )


def _noise(noise: LabelNoise) -> Finding:
    if noise.found is None or noise.estimate is None or noise.low is None or noise.high is None:
        return Finding(
            key="label_noise",
            sentence=f"whether labels are wrong cannot be told: {printable(noise.reason, 300)}",
        )
    if not noise.found:
        return Finding(
            key="label_noise",
            sentence="no label noise found",
            value=noise.estimate,
            low=noise.low,
            high=noise.high,
            caution="noise below 5 % and noise between classes that look alike are missed",
        )
    about = f"about {percent(noise.estimate)} ({percents(noise.low, noise.high)})"
    return Finding(
        key="label_noise",
        sentence=f"label noise found, {about}",
        value=noise.estimate,
        low=noise.low,
        high=noise.high,
        caution="a range of five estimates, no confidence interval; made for noise that is random",
    )


def _fitted(fitted: float) -> Finding:
    kept = "the noise is there and was not memorized" if fitted < NOT_MEMORIZED else "memorized"
    return Finding(
        key="suspects_fitted",
        sentence=f"fits {percent(fitted)} of the samples whose label is suspect: {kept}",
        value=fitted,
    )
