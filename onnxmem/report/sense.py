"""Whether a report that was read makes sense: lengths, ranges and labels, beyond the types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from onnxmem.errors import DataError
from onnxmem.records import (
    Curve,
    Evidence,
    Group,
    Layer,
    LocateReport,
    NetworkEvidence,
    Report,
    SamplesReport,
    Score,
    TrackReport,
)
from onnxmem.report.words import X_NAMES

ROUNDING = 1e-6


def check(report: Report) -> None:
    """Check that a report could come from an audit.

    Raises:
        DataError: it could not; the message names the first field that tells.
    """
    for complaint in _complaints(report):
        raise DataError(complaint)


def check_samples(report: SamplesReport) -> None:
    """Check that a report could come from a look at samples.

    Raises:
        DataError: it could not; the message names the first field that tells.
    """
    for complaint in _of_evidence("", report):
        raise DataError(complaint)


def check_locate(report: LocateReport) -> None:
    """Check that a report could come from a look at layers.

    Raises:
        DataError: it could not; the message names the first field that tells.
    """
    for complaint in _of_locate(report):
        raise DataError(complaint)


def _of_locate(report: LocateReport) -> Iterator[str]:
    for number, layer in enumerate(report.depth.layers):
        known = [x for x in (layer.own_agreement, layer.suspects_agreement) if x is not None]
        yield from _shares(f"depth.layers[{number}]", agreements=known)
    for number, probe in enumerate(report.probes.layers):
        read = (probe.clean_accuracy, probe.suspect_accuracy, probe.permuted_accuracy)
        yield from _shares(f"probes.layers[{number}]", shares=[x for x in read if x is not None])
    segments = () if report.rewinding is None else report.rewinding.segments
    for number, one in enumerate(segments):
        known = [x for x in (one.clean_accuracy, one.suspect_accuracy) if x is not None]
        yield from _shares(f"rewinding.segments[{number}]", accuracies=known)
    for number, account in enumerate(report.gradients):
        for at, gradient in enumerate(account.layers):
            norms = (gradient.clean_norm, gradient.suspect_norm, gradient.ratio)
            if min((x for x in norms if x is not None), default=0.0) < 0:
                yield f"gradients[{number}].layers[{at}] has a norm below 0"


def check_track(report: TrackReport) -> None:
    """Check that a report could come from a course of training.

    Raises:
        DataError: it could not; the message names the first field that tells.
    """
    for complaint in _of_course(report):
        raise DataError(complaint)


def _of_course(report: TrackReport) -> Iterator[str]:
    paths = [one.path for one in report.checkpoints]
    choice = report.choice
    if not paths:
        yield "checkpoints are none"
    kept = (report.chosen, None if choice is None else choice.path)
    if kept[0] != kept[1] or (kept[0] is not None and kept[0] not in paths):
        yield "chosen is none of the checkpoints"
    if choice is not None and choice.runner_up is not None and choice.runner_up not in paths:
        yield "choice.runner_up is none of the checkpoints"
    for number, one in enumerate(report.checkpoints):
        place = f"checkpoints[{number}]"
        if len(one.agreement) != len(report.layers):
            yield f"{place}.agreement has not one value for each of {len(report.layers)} layers"
        known = (one.others_fitted, one.suspects_fitted, one.agreement_mean, *one.agreement)
        bounds = (one.agreement_low, one.agreement_high, one.held_out_accuracy)
        shares = [share for share in (*known, *bounds) if share is not None]
        yield from _shares(place, shares=[*shares, one.train_accuracy, one.memorized_share.value])
    for number, sample in enumerate(report.samples):
        place, since = f"samples[{number}]", sample.fitted_from
        if not -1 - ROUNDING <= sample.margin <= 1 + ROUNDING:
            yield f"{place}.margin is {sample.margin}, no difference of shares"
        if sample.row < 0 or not 0 <= (since or 0) < len(paths):
            yield f"{place} has a row below 0, or is fitted from no checkpoint"
        yield from _shares(place, fitted=sample.fitted)


def _complaints(report: Report) -> Iterator[str]:
    yield from _of_baseline(report)
    if report.evidence is not None:
        yield from _of_evidence("evidence.", report.evidence)
    counts = (report.data.samples, report.data.classes, report.data.samples_given)
    if min(counts) < 0:
        yield "data counts less than nothing"
    for place, layer in enumerate(report.layers):
        yield from _of_layer(f"layers[{place}]", layer)
    for key, score in report.summary.items():
        yield from _of_score(f"summary[{key!r}]", key, score)
    if min(report.timings.values(), default=0.0) < 0:
        yield "timings holds less than no time"


def _of_baseline(report: Report) -> Iterator[str]:
    value, chance = report.baseline.value, report.baseline.chance
    if value is not None and chance is not None:
        yield from _shares("baseline", value=value, chance=chance)
    elif value is not None or chance is not None:
        yield "baseline holds an accuracy without that of guessing, or the other way round"
    elif report.verdict != "inconclusive" or any(layer.curves for layer in report.layers):
        yield "baseline holds no accuracy, and yet something was measured"


def _of_layer(place: str, layer: Layer) -> Iterator[str]:
    keys = [curve.key for curve in layer.curves]
    if len(set(keys)) < len(keys):
        yield f"{place} has two curves of one kind"
    for number, curve in enumerate(layer.curves):
        yield from _of_curve(f"{place}.curves[{number}]", curve)


def _of_curve(place: str, curve: Curve) -> Iterator[str]:
    yield from _of_x(place, curve)
    for name, values in (("accuracy", curve.accuracy), ("error", curve.error)):
        if len(values) != len(curve.x):
            yield f"{place}.{name} has {len(values)} values for {len(curve.x)} of x"
    if min(*curve.error, curve.auc_relative, curve.auc_bound) < 0:
        yield f"{place} has an error, auc_relative or auc_bound below 0"
    bounds = (curve.auc_low, curve.auc_high)
    yield from _shares(place, accuracy=curve.accuracy, auc=curve.auc, bounds=bounds)
    labels = [group.label for group in curve.groups]
    if len(set(labels)) < len(labels):
        yield f"{place}.groups names a label twice"
    for number, group in enumerate(curve.groups):
        yield from _of_group(f"{place}.groups[{number}]", group, len(curve.x))


def _of_x(place: str, curve: Curve) -> Iterator[str]:
    if curve.x_name != X_NAMES[curve.compressor]:
        yield f"{place}.x_name is {curve.x_name!r} for {curve.compressor}"
    if not curve.x:
        yield f"{place}.x is empty"
    if any(after <= before for before, after in zip(curve.x, curve.x[1:], strict=False)):
        yield f"{place}.x does not rise"
    if curve.x_name == "rank" and any(k < 1 or k != int(k) for k in curve.x):
        yield f"{place}.x holds what is no rank"
    if curve.x_name == "fraction":
        yield from _shares(place, x=curve.x)


def _of_group(place: str, group: Group, points: int) -> Iterator[str]:
    if group.samples < 1:
        yield f"{place} has no samples"
    if len(group.accuracy) != points:
        yield f"{place}.accuracy has {len(group.accuracy)} values for {points} of x"
    own = [] if group.untouched is None else [group.untouched]
    yield from _shares(place, accuracy=group.accuracy, auc=group.auc, untouched=own)


def _of_score(place: str, key: str, score: Score) -> Iterator[str]:
    compressor, _, batch = key.partition(".")
    if compressor not in X_NAMES or batch not in ("class", "mixed"):
        yield f"{place} is no score that an audit gives"
    if min(score.layers_scored, score.layers_saturated, score.layers_above) < 0:
        yield f"{place} counts less than no layers"
    over = (score.auc_relative, score.auc_relative_low, score.auc_relative_high)
    if min((one for one in over if one is not None), default=0.0) < 0:
        yield f"{place} has a relative score below 0"
    known = {"auc": score.auc, "auc_low": score.auc_low, "auc_high": score.auc_high}
    yield from _shares(place, **{name: one for name, one in known.items() if one is not None})


def _shares(place: str, **fields: float | Sequence[float]) -> Iterator[str]:
    """Complain about values that do not lie between 0 and 1."""
    for name, field in fields.items():
        for value in field if isinstance(field, Sequence) else [field]:
            if not -ROUNDING <= value <= 1 + ROUNDING:
                yield f"{place}.{name} holds {value}, which is not between 0 and 1"


def _of_evidence(place: str, evidence: Evidence | SamplesReport) -> Iterator[str]:
    network = evidence.network
    if network is not None:
        yield from _of_network(f"{place}network", network)
    for number, layer in enumerate(evidence.layers):
        shares = (layer.own_agreement, layer.suspects_agreement, layer.held_out_agreement)
        known = [share for share in shares if share is not None]
        yield from _shares(f"{place}layers[{number}]", agreements=known)
    for number, sample in enumerate(evidence.samples):
        if not -1 - ROUNDING <= sample.margin <= 1 + ROUNDING:
            yield f"{place}samples[{number}].margin is {sample.margin}, no difference of shares"
        if sample.row < 0 or (sample.depth or 0) < 0:
            yield f"{place}samples[{number}] has a row or a depth below 0"
        yield from _shares(f"{place}samples[{number}]", score=sample.score)


def _of_network(place: str, network: NetworkEvidence) -> Iterator[str]:
    noise = network.label_noise
    estimates = (network.memorized_share, network.strong_share, network.held_out_disagreement)
    found = [one for one in estimates if one is not None]
    shares = [share for one in found for share in (one.value, one.low, one.high)]
    others = (noise.floor, noise.estimate, noise.low, noise.high, noise.suspects_fitted)
    shares += [share for share in (*others, network.fitted) if share is not None]
    yield from _shares(place, shares=shares)
    if min(network.samples, network.held_out_samples) < 0:
        yield f"{place} counts less than no samples"
