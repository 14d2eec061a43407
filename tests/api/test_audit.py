"""The Python interface says what the command line says."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from sample_networks import Sample

import onnxmem
from onnxmem.auditing import Settings, run_audit
from onnxmem.data import load
from onnxmem.errors import DataError, OnnxmemError, UsageError

QUICK = {"compress": ("nmf",), "batch": ("mixed",), "ranks": (1, 4)}


def test_same_report_as_from_a_file(mlp: Sample) -> None:
    ours = onnxmem.audit(mlp.path, mlp.x, mlp.y, **QUICK).to_dict()  # type: ignore[arg-type]
    theirs = run_audit(mlp.path, load(mlp.data), Settings(**QUICK)).to_dict()  # type: ignore[arg-type]
    assert ours | {"timings": {}} == theirs | {"timings": {}}


def test_lists_are_taken_as_arrays(mlp: Sample) -> None:
    report = onnxmem.audit(str(mlp.path), mlp.x.tolist(), mlp.y.tolist(), **QUICK)  # type: ignore[arg-type]
    assert report.summary["nmf.mixed"].auc is not None


def test_one_input_may_be_an_array_or_go_by_its_name(mlp: Sample) -> None:
    one, other = (onnxmem.audit(mlp.path, x, mlp.y, **QUICK) for x in (mlp.x, {"x": mlp.x}))  # type: ignore[arg-type]
    assert one.summary == other.summary


def test_nothing_is_printed_or_written(
    mlp: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    onnxmem.audit(mlp.path, mlp.x, mlp.y, **QUICK)  # type: ignore[arg-type]
    assert capfd.readouterr() == ("", "")
    assert not list(tmp_path.iterdir())


def test_samples_are_not_changed(mlp: Sample) -> None:
    x, y = mlp.x.copy(), mlp.y.copy()
    onnxmem.audit(mlp.path, x, y, **QUICK)  # type: ignore[arg-type]
    np.testing.assert_array_equal(x, mlp.x)
    np.testing.assert_array_equal(y, mlp.y)


def test_labels_stand_among_the_inputs_as_in_files_but_not_twice(mlp: Sample) -> None:
    whole = {"x": mlp.x, "y": mlp.y}
    one, other = (onnxmem.audit(mlp.path, *x, **QUICK) for x in ((whole,), (mlp.x, mlp.y)))  # type: ignore[arg-type]
    assert one.summary == other.summary
    with pytest.raises(DataError, match="leave y out"):
        onnxmem.audit(mlp.path, whole, mlp.y)


def test_path_is_read_as_by_the_command_line(mlp: Sample) -> None:
    by_path = onnxmem.audit(mlp.path, mlp.data, **QUICK)  # type: ignore[arg-type]
    loaded = onnxmem.audit(mlp.path, onnxmem.data.load(mlp.data), **QUICK)  # type: ignore[arg-type]
    assert by_path.data.path == str(mlp.data)
    assert by_path.summary == loaded.summary


def test_ragged_samples_are_refused(mlp: Sample) -> None:
    with pytest.raises(OnnxmemError, match="'x'"):
        onnxmem.audit(mlp.path, [[1.0, 2.0], [1.0]], [0, 1])  # type: ignore[list-item]


@pytest.mark.parametrize("ranks", [[], [0], [-1, 2]])
def test_wrong_ranks_are_refused(mlp: Sample, ranks: list[int]) -> None:
    with pytest.raises(UsageError, match="ranks"):
        onnxmem.audit(mlp.path, mlp.x, mlp.y, ranks=ranks)


def test_every_setting_can_be_given() -> None:
    no_settings = {"model", "x", "y", "held_out", "cache", "progress", "trust_links"}
    no_settings |= {"workers", "executor", "scheduler", "sandbox", "timeout"}
    ours = set(inspect.signature(onnxmem.audit).parameters) - no_settings
    of_files = {"max_drop", "baseline", "baseline_data"}
    assert ours == set(Settings.__dataclass_fields__) - of_files


@pytest.mark.parametrize("setting", [{"compress": 1}, {"layers": None}, {"ranks": [1, 2.5]}])
def test_what_is_no_list_is_refused(mlp: Sample, setting: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="give"):
        onnxmem.audit(mlp.path, mlp.x, mlp.y, **setting)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "setting",
    [
        {"model": None},
        {"per_class": 2.5},
        {"per_class": "many"},
        {"seed": None},
        {"memory": "2G"},
        {"ranks": "abc"},
        {"ranks": 4},
        {"compress": 3},
        {"layers": [3]},
        {"device": None},
        {"exact": "yes"},
        {"metric": 5},
        {"bind": "flag=1"},
        {"fail_under": "nmf.mixed=0.5"},
        {"fail_under": {"nmf.mixed": "0.5"}},
        {"min_accuracy": "high"},
        {"cache": 5},
    ],
)
def test_a_value_of_the_wrong_type_is_refused_by_name(
    mlp: Sample, setting: dict[str, object]
) -> None:
    with pytest.raises(UsageError, match="|".join(setting)):
        onnxmem.audit(**{"model": mlp.path, "x": mlp.x, "y": mlp.y} | setting)  # type: ignore[arg-type]


def test_numbers_of_numpy_are_taken(mlp: Sample, tmp_path: Path) -> None:
    theirs: dict[str, Any] = {
        "ranks": np.arange(1, 4),
        "per_class": np.int32(20),
        "seed": np.int64(3),
        "memory": np.uint64(1 << 26),
        "exact": np.True_,
        "min_accuracy": np.float32(0.5),
        "fail_under": {"nmf.mixed": np.float64(0.5)},
    }
    ours = {"ranks": [1, 2, 3], "per_class": 20, "seed": 3, "memory": 1 << 26, "exact": True}
    ours |= {"min_accuracy": 0.5, "fail_under": {"nmf.mixed": 0.5}}
    report = onnxmem.audit(mlp.path, mlp.x, mlp.y, compress=["nmf"], **theirs)
    report.to_json(tmp_path / "report.json")
    stored = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert stored["settings"] | ours == stored["settings"]


def test_public_names_can_be_completed_and_used() -> None:
    assert set(onnxmem.__all__) <= set(dir(onnxmem))
    assert all(getattr(onnxmem, name) for name in onnxmem.__all__)


def test_lists_may_be_written_as_on_the_command_line(mlp: Sample) -> None:
    written = onnxmem.audit(
        mlp.path, mlp.x, mlp.y, compress="nmf, pca", batch="mixed", ranks="1,4", layers="relu1"
    )
    given = onnxmem.audit(
        mlp.path, mlp.x, mlp.y, compress=["nmf", "pca"], batch=["mixed"], ranks=[1, 4],
        layers=["relu1"],
    )  # fmt: skip
    assert written.summary == given.summary
    assert written.settings == given.settings


def test_samples_whose_activations_are_not_finite_are_named(mlp: Sample, tmp_path: Path) -> None:
    model = onnx.load(mlp.path)
    place = next(i for i, node in enumerate(model.graph.node) if node.output[0] == "relu1")
    model.graph.node[place].output[0] = "sound"
    model.graph.node[place + 1].input[0] = "sound"
    square = onnx.helper.make_node("Exp", ["sound"], ["squared"])
    broken = onnx.helper.make_node("Relu", ["squared"], ["relu1"])
    asked = onnx.helper.make_node("Greater", ["relu1", "nothing"], ["large"])
    counted = onnx.helper.make_node("Cast", ["large"], ["one"], to=1)
    ignored = onnx.helper.make_node("Mul", ["one", "nothing"], ["none"])
    added = onnx.helper.make_node("Add", ["sound", "none"], ["both"])
    model.graph.node[place + 1].input[0] = "both"
    for offset, node in enumerate((square, broken, asked, counted, ignored, added), 1):
        model.graph.node.insert(place + offset, node)
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.float32(0), "nothing"))
    onnx.save(model, tmp_path / "net.onnx")
    x = mlp.x.copy()
    x[3] *= 1000
    names = np.array([f"photo {row}" for row in range(len(x))])
    report = onnxmem.audit(
        tmp_path / "net.onnx", {"x": x, "y": mlp.y, "id": names}, layers=["relu1"], **QUICK
    )  # type: ignore[arg-type]
    (layer,) = report.layers
    assert layer.status == "skipped"
    assert "NaN or infinite activations for 1 sample: photo 3" in layer.reason
