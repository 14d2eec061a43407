"""A plan from one profiled run: what is told of a layer is what timing it would have shown."""

from __future__ import annotations

import pytest
from sample_networks import Sample

from onnxmem.auditing import plan, plan_audit
from onnxmem.auditing.cost import Plan
from onnxmem.auditing.settings import Settings

SETTINGS = Settings(per_class=12, samples=False, device="cpu", ranks=(1, 2, 4))


def planned(sample: Sample) -> Plan:
    return plan_audit(sample.path, {"x": sample.x, "y": sample.y}, SETTINGS)


def test_layers_that_are_told_are_counted_like_those_that_are_timed(
    cnn: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed = planned(cnn)
    monkeypatch.setattr(plan, "_BUDGET", 0.0)
    monkeypatch.setattr(plan, "timed_pieces", lambda *asked: pytest.fail("it was cut"))
    told = planned(cnn)
    for one, other in zip(timed.layers, told.layers, strict=True):
        assert (one.tensor, one.matrix, one.ranks) == (other.tensor, other.matrix, other.ranks)
        assert (one.step, one.side_by_side) == (other.step, other.side_by_side)
        assert one.most.factorizations == other.most.factorizations
        assert abs(one.most.tail_runs - other.most.tail_runs) <= one.most.tail_runs / 4
        assert other.most.seconds > 0


def test_layers_that_are_told_take_longer_the_more_lies_behind_them(
    cnn: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {}
    pieces = plan.told_pieces

    def told(*asked: object) -> object:
        one = pieces(*asked)  # type: ignore[arg-type]
        found[one.tensor] = one
        return one

    monkeypatch.setattr(plan, "_BUDGET", 0.0)
    monkeypatch.setattr(plan, "told_pieces", told)
    planned(cnn)
    first, *_, last = found.values()
    assert first.tail > last.tail > 0
    assert last.head > first.head > 0
