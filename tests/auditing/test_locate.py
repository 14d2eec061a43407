"""Where a network memorizes, from files to the report: who the suspects are, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import layered_networks as layered
import numpy as np
import onnx
import pytest
from onnx import helper
from sample_networks import Sample

import onnxmem
from onnxmem import models
from onnxmem.errors import DataError, UsageError
from onnxmem.records import LocateReport

FAST: dict[str, Any] = {"device": "cpu", "units": 4, "most": 100}


def plain(report: LocateReport) -> dict[str, Any]:
    values = report.to_dict()
    del values["timings"]
    return values


@pytest.fixture(scope="module")
def noisy() -> models.Network:
    return models.network("vowels-mlp-p20")


@pytest.fixture(scope="module")
def found(noisy: models.Network) -> LocateReport:
    return onnxmem.locate(noisy.path, noisy.data_path, checkpoint=noisy.path, **FAST)


@pytest.fixture
def data(noisy: models.Network) -> Iterator[dict[str, np.ndarray]]:
    with np.load(noisy.data_path) as arrays:
        yield dict(arrays)


def test_true_labels_tell_suspects(found: LocateReport, data: dict[str, np.ndarray]) -> None:
    wrong = (data["y"] != data["y_true"])[data["split"] == "train"]
    assert found.suspected is not None
    assert (found.suspected.source, found.suspected.suspects) == ("true labels", wrong.sum())
    assert found.suspected.others == (~wrong).sum()


def test_rewinding_to_itself_changes_nothing(found: LocateReport) -> None:
    assert found.rewinding is not None and found.rewinding.lowest is None
    accuracies = {(one.clean_accuracy, one.suspect_accuracy) for one in found.rewinding.segments}
    network = found.rewinding.network
    assert accuracies == {(network.clean, network.suspect)}
    assert {one.relative_error for one in found.rewinding.segments} == {0}
    one, other = found.gradients
    assert (one.model, other.model) == ("network", "checkpoint")
    assert [a.suspect_norm for a in one.layers] == [b.suspect_norm for b in other.layers]


def test_suspects_settle_later_than_others(found: LocateReport) -> None:
    first, *_, last = found.depth.layers
    assert first.tensor == "input"
    assert (first.suspects_agreement or 0) < 0.3 < 0.7 < (first.own_agreement or 0)
    assert (last.suspects_agreement or 0) > (first.suspects_agreement or 0)


def test_the_order_of_the_data_and_of_runs_changes_nothing(
    found: LocateReport, noisy: models.Network, data: dict[str, np.ndarray]
) -> None:
    again = onnxmem.locate(noisy.path, noisy.data_path, checkpoint=noisy.path, **FAST)
    assert plain(again) == plain(found)
    order = np.random.default_rng(0).permutation(len(data["y"]))
    mixed = onnxmem.locate(
        noisy.path, {name: one[order] for name, one in data.items()}, checkpoint=noisy.path, **FAST
    )
    assert mixed.rewinding is not None and found.rewinding is not None
    assert mixed.rewinding.segments == found.rewinding.segments
    assert mixed.gradients == found.gradients


def test_flags_of_samples_take_the_place_of_true_labels(noisy: models.Network) -> None:
    flagged = onnxmem.locate(noisy.path, noisy.data_path, suspects="samples", **FAST)
    known = onnxmem.samples(noisy.path, noisy.data_path)
    assert flagged.suspected is not None
    assert flagged.suspected.source == "samples"
    assert flagged.suspected.suspects == sum(one.memorized for one in known.samples)


def test_given_flags_come_before_true_labels(
    noisy: models.Network, data: dict[str, np.ndarray], tmp_path: Path
) -> None:
    flags = np.arange(len(data["y"])) % 10 == 0
    given = onnxmem.locate(noisy.path, noisy.data_path, suspects=flags, **FAST)
    assert given.suspected is not None
    assert given.suspected.source == "file"
    assert given.suspected.suspects == flags[data["split"] == "train"].sum()
    lines = ["id", *map(str, data["id"][flags])]
    (tmp_path / "s.csv").write_text("\n".join(lines), "utf-8")
    named = onnxmem.locate(noisy.path, noisy.data_path, suspects=tmp_path / "s.csv", **FAST)
    assert named.gradients == given.gradients
    assert named.depth == given.depth


def test_layers_that_are_chosen_make_longer_segments(noisy: models.Network) -> None:
    sites = [site.tensor for site in onnxmem.inspect(noisy.path).sites]
    few = onnxmem.locate(
        noisy.path, noisy.data_path, checkpoint=noisy.path, layers=[sites[-1]], **FAST
    )
    assert few.rewinding is not None
    assert [one.from_ for one in few.rewinding.segments] == ["input", sites[-1]]
    assert len(few.gradients[0].layers[0].weights) == len(sites)


def test_a_checkpoint_with_another_name_of_its_input_is_fed(tmp_path: Path) -> None:
    x, y = layered.samples()
    final, early = layered.dense(1), layered.dense(2)
    y = np.where(np.arange(len(y)) % 4 == 0, final.logits(x).argmax(axis=1), y)
    one = layered.write(tmp_path / "a.onnx", final)
    two = layered.write(tmp_path / "b.onnx", early, "matmul")
    flags = np.arange(len(y)) % 4 == 0
    report = onnxmem.locate(one, x, y, checkpoint=two, suspects=flags, kind=["relu"], **FAST)
    assert report.rewinding is not None
    for layer, segment in enumerate(report.rewinding.segments):
        hits = final.changed(layer, early).logits(x).argmax(axis=1) == y
        assert segment.suspect_accuracy == hits[flags].mean()
    assert [one.to for one in report.gradients[1].layers] == ["gemm_relu1", "gemm_relu2", "gemm_2"]


def test_without_gradients_the_rest_goes_on(tmp_path: Path) -> None:
    x, y = layered.samples()
    path = layered.write(tmp_path / "a.onnx", layered.dense(1))
    model = onnx.load(path)
    model.graph.node[-1].output[0] = "sharp"
    model.graph.node.append(helper.make_node("Round", ["sharp"], ["gemm_2"]))
    onnx.save(model, path)
    report = onnxmem.locate(
        path, x, y, checkpoint=path, suspects=np.arange(len(y)) % 4 == 0, **FAST
    )
    assert "Round" in report.gradients[0].reason
    assert report.units is not None and "Round" in report.units.reason
    assert report.rewinding is not None and len(report.rewinding.segments) == 3
    assert report.exit_code == 0


def test_nothing_is_told_without_a_suspect(noisy: models.Network) -> None:
    flags = np.zeros(640, bool)
    report = onnxmem.locate(noisy.path, noisy.data_path, suspects=flags, **FAST)
    assert report.reason == "no sample is a suspect, so there is nothing to locate"
    assert report.exit_code == 3


def test_suspects_of_neighbours_need_neighbours() -> None:
    small = models.network("vowels-mlp-p20")
    with np.load(small.data_path) as arrays:
        x, y = arrays["x"][:15], arrays["y"][:15]
    report = onnxmem.locate(small.path, x, y, **FAST)
    assert "15 different training samples are too few" in report.reason
    flags = np.arange(15) < 5
    told = onnxmem.locate(small.path, x, y, suspects=flags, **FAST)
    assert told.reason == "" and "too few" in told.depth.reason
    assert told.gradients[0].layers


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"suspects": np.zeros(17, bool)}, r"'suspect' of the array suspects has 17 entries"),
        ({"suspects": np.ones(640, bool)}, "all samples are suspects"),
        ({"most": 0}, "--most 0"),
        ({"units": -1}, "--units -1"),
    ],
)
def test_what_cannot_be_is_refused(
    changed: dict[str, Any], message: str, noisy: models.Network
) -> None:
    with pytest.raises(UsageError, match=message):
        onnxmem.locate(noisy.path, noisy.data_path, **(FAST | changed))


def test_another_architecture_is_refused_with_the_names_of_sites(noisy: models.Network) -> None:
    other = models.network("mnist1d-mlp-p00")
    with pytest.raises(UsageError, match=r"activations|input"):
        onnxmem.locate(noisy.path, noisy.data_path, checkpoint=other.path, **FAST)


def test_labels_are_needed(noisy: models.Network, data: dict[str, np.ndarray]) -> None:
    with pytest.raises(DataError, match="give an array 'y'"):
        onnxmem.locate(noisy.path, {"x": data["x"]}, **FAST)


def test_a_device_tells_the_same_as_the_cpu(mlp: Sample, request: pytest.FixtureRequest) -> None:
    given: dict[str, Any] = {
        "checkpoint": mlp.path,
        "suspects": np.arange(len(mlp.y)) % 5 == 0,
        "units": 3,
    }
    on_cpu = onnxmem.locate(mlp.path, mlp.x, mlp.y, device="cpu", **given)
    request.getfixturevalue("fake_gpu")
    on_cuda = onnxmem.locate(mlp.path, mlp.x, mlp.y, device="cuda", **given)
    assert on_cuda.environment["provider"] == "CUDAExecutionProvider"
    assert on_cuda.rewinding == on_cpu.rewinding
    assert on_cuda.units is not None and on_cpu.units is not None
    assert [one.units for one in on_cuda.units.samples] == [
        one.units for one in on_cpu.units.samples
    ]
    for one, other in zip(on_cpu.gradients, on_cuda.gradients, strict=True):
        assert one.reason == other.reason == ""
        for expected, layer in zip(one.layers, other.layers, strict=True):
            assert layer.suspect_norm == pytest.approx(expected.suspect_norm, rel=1e-3)


def test_on_the_shipped_course_flags_find_the_segment_that_true_labels_find() -> None:
    course = models.family("mnist-course")
    early, last = course[1], course[-1]
    asked: dict[str, Any] = {"checkpoint": early.path, "most": 150, "units": 0}
    known = onnxmem.locate(last.path, last.data_path, **asked)
    flagged = onnxmem.locate(last.path, last.data_path, suspects="samples", **asked)
    assert known.rewinding is not None and flagged.rewinding is not None
    assert known.rewinding.lowest == flagged.rewinding.lowest is not None
    for found in (known, flagged):
        assert found.rewinding is not None
        (lowest,) = (one for one in found.rewinding.segments if one.to == found.rewinding.lowest)
        assert (lowest.suspect_accuracy or 0) < 0.75 < 0.95 < (lowest.clean_accuracy or 0)
        assert found.rewinding.segments[-1].suspect_accuracy == found.rewinding.network.suspect
        assert all((one.cosine or 0) < 0 for one in found.gradients[1].layers)
