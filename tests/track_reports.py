"""Reports on courses that no training left: of all kinds, and with hostile names."""

from __future__ import annotations

from dataclasses import replace

from report_samples import HOSTILE_NAMES

from onnxmem.records import (
    TRACK_SCHEMA,
    Checkpoint,
    Choice,
    DataInfo,
    Estimate,
    Tool,
    TrackedSample,
    TrackReport,
)

LAYERS = ("/relu1/Relu_output_0", "/relu2/Relu_output_0", "/relu3/Relu_output_0")


def _checkpoint(place: int, count: int) -> Checkpoint:
    done = place / max(1, count - 1)
    mean = 0.9 - 0.2 * done
    return Checkpoint(
        path=f"run/epoch_{place + 1}.onnx",
        sha256="ab" * 32,
        train_accuracy=0.6 + 0.4 * done,
        memorized_share=Estimate(0.3 * done, 0.25 * done, 0.35 * done),
        others_fitted=0.9 + 0.1 * done,
        suspects_fitted=done,
        agreement=(mean - 0.02, mean, mean + 0.02),
        agreement_mean=mean,
        agreement_low=mean - 0.05,
        agreement_high=mean + 0.05,
        held_out_accuracy=mean - 0.03,
    )


def _sample(row: int, count: int) -> TrackedSample:
    margin = 0.9 - 0.0015 * row
    since = None if row % 7 == 0 else row % count
    return TrackedSample(f"sample-{row}", row, row % 10, margin, since, 0.5, margin > 0)


def report(count: int = 5, samples: int = 1200) -> TrackReport:
    """Return a report of a course of so many checkpoints."""
    course = tuple(_checkpoint(place, count) for place in range(count))
    return TrackReport(
        schema=TRACK_SCHEMA,
        tool=Tool("onnxmem", "0.0"),
        data=DataInfo("data.npz", "cd" * 32, samples, 10, samples),
        settings={"seed": 0, "pool": "all"},
        environment={"device": "cpu"},
        layers=LAYERS,
        checkpoints=course,
        chosen=course[0].path,
        choice=Choice(
            path=course[0].path,
            agreement=Estimate(0.9, 0.85, 0.95),
            repeated=0.8,
            runner_up=course[1].path,
            lead=Estimate(0.05, 0.01, 0.09),
            runner_up_cost=Estimate(0.05, -0.01, 0.1),
            regret=0.0,
            last_regret=0.2,
        ),
        held_out_samples=300,
        suspects_from="margin",
        samples=tuple(_sample(row, count) for row in range(samples)),
        notes=("12 of 1,200 training samples are copies of others",),
        timings={"neighbours": 1.5},
    )


def long() -> TrackReport:
    """Return a report of 400 checkpoints whose classes have names."""
    names = {str(number): f"class number {number}" for number in range(10)}
    return replace(report(400, 60), names=names)


def without_choice() -> TrackReport:
    """Return a report in which no checkpoint is chosen."""
    base = report(3, 30)
    bare = {"agreement": (), "agreement_mean": None, "agreement_low": None}
    course = tuple(
        replace(one, **bare, agreement_high=None, held_out_accuracy=None)  # type: ignore[arg-type]
        for one in base.checkpoints
    )
    why = "no checkpoint is chosen without held-out inputs; give some with --held-out"
    return replace(
        base,
        layers=(),
        checkpoints=course,
        chosen=None,
        choice=None,
        held_out_samples=0,
        reason=why,
    )


def alone() -> TrackReport:
    """Return a report of one checkpoint without any suspect."""
    base = report(2, 2)
    choice = Choice(base.checkpoints[0].path, Estimate(0.9, 0.8, 0.95), 1.0)
    samples = tuple(
        replace(one, margin=-0.5, suspect=False, fitted_from=None) for one in base.samples
    )
    return replace(
        base_with(base, choice),
        samples=samples,
        checkpoints=tuple(replace(one, suspects_fitted=None) for one in base.checkpoints[:1]),
    )


def base_with(base: TrackReport, choice: Choice) -> TrackReport:
    """Return a report with another choice."""
    return replace(base, choice=choice, chosen=choice.path)


def hostile() -> TrackReport:
    """Return a report all of whose names try to break out of their format."""
    count = len(HOSTILE_NAMES)
    base = report(count, 40)
    course = tuple(
        replace(one, path=f"{number}/{HOSTILE_NAMES[number]}", agreement=(0.5,) * count)
        for number, one in enumerate(base.checkpoints)
    )
    samples = tuple(replace(one, id=HOSTILE_NAMES[one.row % count]) for one in base.samples)
    assert base.choice is not None
    choice = replace(base.choice, path=course[0].path, runner_up=course[1].path)
    return replace(
        base_with(base, choice),
        layers=HOSTILE_NAMES,
        checkpoints=course,
        samples=samples,
        names={str(number): HOSTILE_NAMES[number % count] for number in range(10)},
        notes=HOSTILE_NAMES,
        settings={name: name for name in HOSTILE_NAMES},
    )


ALL = {make.__name__: make for make in (report, long, without_choice, alone, hostile)}
