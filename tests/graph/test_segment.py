"""Segments: what stands between earlier tensors and a later one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from sample_networks import Sample, run

from onnxmem import graph
from onnxmem.errors import UsageError


def ran(part: graph.Part, **feeds: np.ndarray) -> np.ndarray:
    return run(onnx.ModelProto.FromString(part.proto), **feeds)


def test_segments_one_after_the_other_are_the_network(cnn: Sample) -> None:
    model = graph.load(cnn.path)
    ends = ["stem", "inner", "joined", "logits"]
    known = {"x": cnn.x}
    for number, end in enumerate(ends):
        segment = graph.segment(model, ends[:number], end)
        known[end] = ran(segment.part, **{n: known[n] for n in (*segment.reads, *segment.direct)})
    np.testing.assert_allclose(known["logits"], run(onnx.load(cnn.path), x=cnn.x), atol=1e-5)


def test_ways_around_a_site_are_read(cnn: Sample) -> None:
    model = graph.load(cnn.path)
    joined = graph.segment(model, ["stem", "inner"], "joined")
    assert (joined.reads, joined.direct) == (("stem", "inner"), ())
    assert graph.segment(model, ["inner"], "joined").direct == ("x",)


def test_a_tensor_that_is_not_there_is_refused(cnn: Sample, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="computes no tensor 'nowhere'"):
        graph.segment(graph.load(cnn.path), ["stem"], "nowhere")


def test_factors_of_one_change_nothing_and_of_zero_switch_a_unit_off(cnn: Sample) -> None:
    model, names = graph.masked(graph.load(cnn.path), {"stem": 4, "joined": 4})
    assert [spec.name for spec in model.inputs] == ["x", names["stem"], names["joined"]]
    part = graph.expose(model, [])
    on = np.ones((len(cnn.x), 6, 1, 1), np.float32)
    whole = ran(part, x=cnn.x, **{names["stem"]: on, names["joined"]: on})
    np.testing.assert_allclose(whole, run(onnx.load(cnn.path), x=cnn.x), atol=1e-5)
    off = on.copy()
    off[0, 2] = 0
    less = ran(part, x=cnn.x, **{names["stem"]: off, names["joined"]: on})
    assert (np.abs(less - whole) > 1e-4).any(axis=1).nonzero()[0].tolist() == [0]
