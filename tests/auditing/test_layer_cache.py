"""A layer is measured once, and a report from the store is the one that was computed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest
import sample_networks
from onnx import helper, numpy_helper
from sample_networks import Sample

import onnxmem
from onnxmem.auditing import Progress, layer_cache
from onnxmem.cache import Store, surroundings
from onnxmem.compression import layer
from onnxmem.errors import OutOfMemoryError
from onnxmem.network import identity
from onnxmem.records import CACHED_LAYERS, Report
from onnxmem.report.rows import time_rows

QUICK: dict[str, Any] = {
    "compress": ["nmf", "pca"],
    "ranks": [1, 4],
    "per_class": 24,
    "samples": False,
}


@pytest.fixture(autouse=True)
def layers_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep no whole reports, which would be found before any layer is."""
    monkeypatch.setattr("onnxmem.cache.whole.report_key", lambda *asked: None)


@pytest.fixture(scope="module")
def filled(mlp: Sample, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a store that knows the small network."""
    folder = tmp_path_factory.mktemp("filled")
    onnxmem.audit(mlp.path, mlp.x, mlp.y, **QUICK, cache=folder)
    return folder


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[str, ...]]]:
    """Give the list that every measurement of a layer adds its tensor and compressors to."""
    calls = []

    def count(site: Any, context: Any, advance: Any) -> Any:
        calls.append((site.tensor, context.settings.compress))
        return layer.measure_layer(site, context, advance)

    monkeypatch.setattr(layer_cache, "measure_layer", count)
    return calls


@pytest.fixture
def audit(mlp: Sample, tmp_path: Path) -> Callable[..., Report]:
    """Return the function that audits the small network with a store."""

    def run(path: Path = mlp.path, x: Any = mlp.x, y: Any = mlp.y, **options: Any) -> Report:
        return onnxmem.audit(path, x, y, **(QUICK | {"cache": tmp_path / "store"} | options))

    return run


def text(report: Report) -> str:
    return replace(report, timings={}).to_json()


def test_report_from_the_store_is_the_computed_one_byte_by_byte(
    cnn: Sample, tmp_path: Path, measured: list[Any]
) -> None:
    reports = [
        onnxmem.audit(cnn.path, cnn.x, cnn.y, per_class=12, cache=cache)
        for cache in (False, tmp_path, tmp_path)
    ]
    assert len({text(report) for report in reports}) == 1
    assert [report.timings.get(CACHED_LAYERS) for report in reports] == [None, None, 3]
    assert len(measured) == 6


def test_library_keeps_nothing_unless_told(
    audit: Callable[..., Report], cache_folder: Path, tmp_path: Path
) -> None:
    audit(cache=False)
    assert not cache_folder.exists()
    audit(cache=True)
    assert Store(cache_folder, 2**30).usage()[0] >= 4


@pytest.mark.parametrize(
    "options",
    [
        {"layers": ["relu2"]},
        {"fail_under": {"nmf.mixed": 0.999}, "min_accuracy": 0.1},
        {"device": "cpu", "output_name": "logits", "metric": "top1"},
        {"compress": ["nmf"]},
        {"compress": ["pca", "nmf"]},
    ],
)
def test_what_chooses_or_judges_measures_nothing_again(
    audit: Callable[..., Report], filled: Path, measured: list[Any], options: dict[str, Any]
) -> None:
    again = audit(**options, cache=filled)
    assert not measured
    assert text(again) == text(audit(**options, cache=False))


def test_neither_path_nor_order_of_samples_matters(
    audit: Callable[..., Report], filled: Path, mlp: Sample, tmp_path: Path, measured: list[Any]
) -> None:
    copy = Path(shutil.copy(mlp.path, tmp_path / "copy.onnx"))
    order = np.random.default_rng(0).permutation(len(mlp.y))
    audit(copy, mlp.x[order], mlp.y[order], cache=filled)
    assert not measured


def other_weights(mlp: Sample, folder: Path) -> dict[str, Any]:
    model = onnx.load(mlp.path)
    weights = numpy_helper.to_array(model.graph.initializer[0])
    model.graph.initializer[0].CopyFrom(
        numpy_helper.from_array(weights * np.float32(1.001), model.graph.initializer[0].name)
    )
    onnx.save(model, folder / "other.onnx")
    return {"path": folder / "other.onnx"}


def other_value(mlp: Sample, folder: Path) -> dict[str, Any]:
    return {"x": mlp.x + np.float32(1e-6) * (np.arange(len(mlp.x)) == 5)[:, None]}


def other_label(mlp: Sample, folder: Path) -> dict[str, Any]:
    changed = mlp.y.copy()
    changed[:2] = changed[1::-1]
    return {"y": changed}


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"per_class": 11},
        {"ranks": [1, 2, 4]},
        {"ranks": "auto"},
        {"exact": True},
        {"memory": 2**20},
        {"metric": "fidelity"},
        {"y": None},
        {"batch": ["mixed"]},
        other_weights,
        other_value,
        other_label,
    ],
)
def test_what_may_change_a_number_is_measured_again(
    audit: Callable[..., Report],
    filled: Path,
    mlp: Sample,
    tmp_path: Path,
    measured: list[Any],
    change: Any,
) -> None:
    audit(**(change(mlp, tmp_path) if callable(change) else change), cache=filled)
    assert len(measured) == 2


def test_samples_of_equal_bytes_and_other_shape_are_others(
    tmp_path: Path, measured: list[Any]
) -> None:
    x, y = sample_networks.blobs(1, 4, 9)
    nodes, weights = sample_networks.cnn_parts()
    nodes = [*nodes[:-2], helper.make_node("GlobalAveragePool", ["joined"], ["p"])]
    nodes.append(helper.make_node("Flatten", ["p"], ["features"]))
    free = sample_networks.with_readout(nodes, weights, ["n", 1, "h", "w"], {"x": x}, y)
    onnx.save(free, tmp_path / "free.onnx")
    for shape in ((4, 9), (6, 6)):
        images = x.reshape(-1, 1, *shape)
        onnxmem.audit(tmp_path / "free.onnx", images, **QUICK, cache=tmp_path / "store")
    assert len(measured) == 6


@pytest.mark.parametrize(
    ("name", "replacement"),
    [
        ("onnxmem.network.identity.code_identity", lambda: "edited"),
        ("onnxmem.network.identity._hardware", lambda device: ["another machine"]),
        ("onnxmem.network.identity.versions", lambda others: {"onnxruntime": "0.0"}),
        ("onnxmem.network.identity.threadpool_info", lambda: [{"architecture": "Z80"}]),
    ],
)
def test_other_code_versions_and_machines_measure_again(
    audit: Callable[..., Report],
    filled: Path,
    measured: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    replacement: Any,
) -> None:
    monkeypatch.setattr(name, replacement)
    audit(cache=filled)
    assert len(measured) == 2


def test_versions_of_cuda_libraries_are_asked_of_the_libraries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def ask(number: int, into: Any) -> None:
        into._obj.value = (9, 14, 1)[number]

    loaded = {"libcudnn.so.9": SimpleNamespace(cudnnGetProperty=ask), "libcublas.so.13": object()}

    def load(name: str, mode: int) -> Any:
        if name not in loaded:
            raise OSError(name)
        return loaded[name]

    monkeypatch.setattr(identity.platform, "system", lambda: "Linux")
    monkeypatch.setattr(identity.ctypes, "CDLL", load)
    assert identity._cuda_library("cudnn", 9) == [9, 14, 1]
    assert identity._cuda_library("cublas", 13) == []
    assert identity._cuda_library("cublas", 12) == []


def test_edited_code_has_another_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = set()
    monkeypatch.setattr(surroundings, "_PACKAGE", tmp_path)
    for code in ("a = 1", "a = 2"):
        (tmp_path / "kernel.py").write_text(code)
        hashes.add(surroundings.code_identity.__wrapped__())
    (tmp_path / "kernel.py").rename(tmp_path / "renamed.py")
    hashes.add(surroundings.code_identity.__wrapped__())
    assert len(hashes) == 3


def test_another_compressor_adds_to_what_is_there(
    audit: Callable[..., Report], measured: list[Any]
) -> None:
    audit(compress=["nmf"])
    del measured[:]
    both = audit(compress=["pca", "nmf"])
    assert measured == [(name, ("pca",)) for name in ("relu1", "relu2")]
    assert text(both) == text(audit(compress=["pca", "nmf"], cache=False))
    assert CACHED_LAYERS not in both.timings


def test_gate_on_what_is_there_does_not_hinder_another_compressor(
    audit: Callable[..., Report],
) -> None:
    audit(compress=["nmf"])
    report = audit(compress=["nmf", "pca"], fail_under={"nmf.mixed": 0.1})
    assert report.verdict == "pass"


def spoil_store(folder: Path, spoil: Callable[[dict[str, Any]], Any]) -> None:
    """Replace every entry of a store by a changed one whose checksum is right."""
    store = Store(folder, 2**30)
    for path in folder.iterdir():
        content = store.get(path.stem)
        assert content is not None
        values = msgspec.msgpack.decode(content)
        if not isinstance(values, dict):
            continue  # what a plan looks up
        store.put(path.stem, msgspec.msgpack.encode(spoil(values) or values))


def first_curve(entry: dict[str, Any]) -> dict[str, Any]:
    curve: dict[str, Any] = entry["layer"]["curves"][0]
    return curve


@pytest.mark.parametrize(
    "spoil",
    [
        lambda entry: [1, 2, 3],
        lambda entry: "text",
        lambda entry: entry["layer"].pop("tensor") and None,
        lambda entry: entry["layer"].update(tensor="another"),
        lambda entry: entry["layer"].update(status="skipped"),
        lambda entry: entry["layer"].update(curves=[]),
        lambda entry: first_curve(entry).update(compressor="pca"),
        lambda entry: first_curve(entry).update(auc="0.5"),
        lambda entry: first_curve(entry).update(auc=float("nan")),
        lambda entry: first_curve(entry)["accuracy"].append(0.5),
        lambda entry: first_curve(entry)["error"].__setitem__(0, float("inf")),
        lambda entry: first_curve(entry)["groups"][0].update(accuracy=[]),
        lambda entry: entry["resampled"].clear(),
        lambda entry: entry["resampled"].update({"nmf.class": bytes(3)}),
        lambda entry: entry["resampled"].update({k: bytes(80) for k in entry["resampled"]}),
        lambda entry: entry["resampled"].update(dict.fromkeys(entry["resampled"], b"\xff" * 8000)),
    ],
)
def test_forged_entry_is_replaced(
    audit: Callable[..., Report],
    tmp_path: Path,
    measured: list[Any],
    spoil: Callable[[dict[str, Any]], Any],
) -> None:
    before = audit(compress=["nmf"], layers=["relu1"])
    spoil_store(tmp_path / "store", spoil)
    del measured[:]
    assert text(audit(compress=["nmf"], layers=["relu1"])) == text(before)
    assert len(measured) == 1
    audit(compress=["nmf"], layers=["relu1"])
    assert len(measured) == 1


def broken_at_second(outcome: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return a measurement of layers that gives or raises something else at `relu2`."""

    def measure(site: Any, context: Any, advance: Any) -> Any:
        if site.tensor == "relu2":
            return outcome(site)
        return layer.measure_layer(site, context, advance)

    return measure


def fail(site: Any) -> layer.Measured:
    return replace(layer.unmeasured(site, "it failed"), failed=True)


def run_out(site: Any) -> layer.Measured:
    raise OutOfMemoryError("no memory")


def test_failed_layer_is_measured_again(
    audit: Callable[..., Report], measured: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(layer_cache, "measure_layer", broken_at_second(fail))
        assert audit().verdict == "inconclusive"
    report = audit()
    assert report.verdict == "none"
    assert [tensor for tensor, _ in measured] == ["relu2"]
    assert report.timings[CACHED_LAYERS] == 1


def test_audit_that_ran_out_of_memory_goes_on(
    audit: Callable[..., Report], measured: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(layer_cache, "measure_layer", broken_at_second(run_out))
        with pytest.raises(OutOfMemoryError):
            audit()
    audit()
    assert [tensor for tensor, _ in measured] == ["relu2"]


def test_model_at_chance_is_not_kept(
    audit: Callable[..., Report], mlp: Sample, tmp_path: Path
) -> None:
    assert audit(y=np.roll(mlp.y, 1)).verdict == "inconclusive"
    assert not (tmp_path / "store").exists()


def test_progress_says_what_was_known(audit: Callable[..., Report]) -> None:
    events: list[Progress] = []
    audit(layers=["relu2"])
    audit(progress=events.append)
    counted = [event for event in events if event.total]
    assert (counted[0].note, counted[0].done) == ("1 of 2 layers from the cache", 4)
    assert not any(event.note for event in counted[1:])
    assert [event.done for event in counted] == sorted(event.done for event in counted)
    assert {event.stage for event in counted[1:]} == {"relu1", "done"}
    assert counted[-1] == Progress("done", 8, 8)


def test_store_that_takes_nothing_changes_nothing(
    audit: Callable[..., Report], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("mine")
    assert text(audit(cache=tmp_path / "file")) == text(audit(cache=False))


def test_number_of_known_layers_is_no_time(audit: Callable[..., Report]) -> None:
    audit()
    report = audit()
    stages = json.loads(report.to_json())["timings"]
    assert stages.pop(CACHED_LAYERS) == 2
    assert report.seconds == stages
    assert {row["stage"] for row in time_rows(report)} == set(stages)
