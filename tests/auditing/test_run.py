"""Audits of small networks from end to end: metrics, gates, budgets, and what goes wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import sample_networks
from onnx import helper
from sample_networks import CLASSES, UNITS, Sample

import onnxmem
from onnxmem.auditing import Progress, Settings
from onnxmem.auditing.plan import plan_audit
from onnxmem.compression import curve as curves
from onnxmem.compression import layer, points
from onnxmem.errors import DataError, ModelRefusedError, OutOfMemoryError, UsageError
from onnxmem.factorize import default_ranks
from onnxmem.inspecting import Trial
from onnxmem.network import layer_run, split_network
from onnxmem.records import Report, Score
from onnxmem.report import sentence

QUICK: dict[str, Any] = {"compress": ["nmf"], "batch": ["mixed"], "ranks": [1, 2, 4, 8]}


def audit(sample: Sample, **options: Any) -> Report:
    return onnxmem.audit(sample.path, sample.x, sample.y, **(QUICK | options))


def without_settings(report: Report) -> Report:
    """Return what was measured: no settings, names of files, or timings."""
    return replace(
        report, settings={}, timings={}, environment={}, model=replace(report.model, path="")
    )


def test_report_of_a_residual_network(cnn: Sample) -> None:
    report = onnxmem.audit(cnn.path, cnn.x, cnn.y, per_class=12)
    assert [one.tensor for one in report.layers] == ["stem", "inner", "joined"]
    assert [one.feature_axis for one in report.layers] == [1, 1, 1]
    assert report.layers[0].shape == (None, 6, 6, 6)
    crossing = [one.cut.crossing for one in report.layers if one.cut]
    assert crossing == [(), ("stem",), ()]
    keys = {f"{name}.{kind}" for name in ("nmf", "pca", "ablation") for kind in ("class", "mixed")}
    assert set(report.summary) == keys
    assert all({curve.key for curve in one.curves} == keys for one in report.layers)
    assert report.data.samples == 12 * CLASSES
    assert report.baseline.chance == 1 / CLASSES
    assert (report.verdict, report.exit_code) == ("none", 0)


def test_what_was_changed_in_the_model_is_told(tmp_path: Path) -> None:
    sample = sample_networks.make_mlp(tmp_path, batch=8)
    report = audit(sample)
    assert report.model.notes == ("batch size freed (exported for 8)",)
    assert "batch size freed" in sentence(report)
    inspected = onnxmem.inspect(sample.path, trial=Trial(dict(np.load(sample.data)), "cpu"))
    assert inspected.verified is not None
    assert "batch size freed (exported for 8)" in inspected.notes


def with_activation(folder: Path, *names: str) -> Sample:
    """Return the network of two layers with other activations."""
    nodes, weights = sample_networks.mlp_parts(10)
    hidden = [node for node in nodes if node.op_type == "Relu"]
    for node, name in zip(hidden, names, strict=True):
        node.op_type = name
    x, y = sample_networks.blobs(10)
    model = sample_networks.with_readout(nodes, weights, ["n", 10], {"x": x}, y)
    return sample_networks.store(folder, "-".join(names), model, x, y)


def test_a_network_without_a_relu_is_measured_by_its_parts_and_says_so(tmp_path: Path) -> None:
    sample = with_activation(tmp_path, "Tanh", "Softplus")
    report = onnxmem.audit(sample.path, sample.x, sample.y, per_class=24)
    assert report.settings["kind"] == ["softplus", "tanh"]
    signed, other = report.layers
    assert {one.compressor: bool(one.parts) for one in signed.curves} == {
        "nmf": True, "pca": False, "ablation": False,
    }  # fmt: skip
    assert not any(one.parts for one in other.curves)
    first, second = report.model.notes
    assert first == "no ReLU; analyzed are 1 Softplus, 1 Tanh"
    assert second.startswith("1 of 2 layers can go below zero")
    curve = signed.curve("nmf.mixed")
    assert curve is not None and curve.x[-1] > UNITS and curve.error[-1] == 0
    again = onnxmem.audit(sample.path, sample.x, sample.y, per_class=24, kind=["softplus", "tanh"])
    assert again.layers == report.layers
    assert Report.from_dict(report.to_dict()).layers == report.layers


def test_where_nothing_is_negative_no_report_speaks_of_parts(mlp: Sample) -> None:
    report = audit(mlp)
    assert report.model.notes == ()
    assert "parts" not in repr(report.to_dict())


def test_accuracy_that_bounds_every_auc_is_told(mlp: Sample) -> None:
    confused = np.where(np.arange(len(mlp.y)) % 5 < 2, mlp.y, (mlp.y + 1) % CLASSES)
    note = onnxmem.audit(mlp.path, mlp.x, confused, **QUICK).data.notes[-1]
    assert "bounds every AuC" in note
    assert "in another order" in note
    assert not any("bounds every AuC" in note for note in audit(mlp).data.notes)


def test_numbers_of_every_curve_fit_together(cnn: Sample) -> None:
    report = onnxmem.audit(cnn.path, cnn.x, cnn.y, per_class=12)
    for curve in (curve for one in report.layers for curve in one.curves):
        assert len(curve.x) == len(curve.accuracy) == len(curve.error)
        assert list(curve.x) == sorted(set(curve.x))
        assert 0 <= curve.auc_low <= curve.auc <= curve.auc_high <= 1
        assert curve.auc_relative == pytest.approx(curve.auc / report.baseline.value)
        assert curve.error[0] >= curve.error[-1] >= 0
        sizes = [group.samples for group in curve.groups]
        assert np.average([g.auc for g in curve.groups], weights=sizes) == pytest.approx(curve.auc)
        parts = np.split(curves.unpack(curve.sample_auc), np.cumsum(sizes)[:-1])
        means = [part.mean() for part in parts]
        assert means == pytest.approx([group.auc for group in curve.groups], abs=1e-5)


def test_uncompressed_end_of_a_curve_is_the_baseline(cnn: Sample) -> None:
    report = onnxmem.audit(cnn.path, cnn.x, cnn.y, compress=["pca", "ablation"])
    for curve in (curve for one in report.layers for curve in one.curves):
        assert curve.accuracy[-1] == pytest.approx(report.baseline.value)
        assert curve.error[-1] == pytest.approx(0, abs=1e-5)


def test_chosen_layers_only(cnn: Sample) -> None:
    report = audit(cnn, layers=["st*", "joined"])
    assert [(one.tensor, one.index) for one in report.layers] == [("stem", 0), ("joined", 2)]


def test_wanted_ranks_are_measured(mlp: Sample) -> None:
    assert audit(mlp, ranks=[8, 1, 3, 3]).layers[0].curves[0].x == (1, 3, 8)


@pytest.mark.parametrize("kind", ["class", "mixed"])
def test_chosen_ranks_are_measured_as_among_all_and_their_auc_is_near(
    mlp: Sample, kind: str
) -> None:
    for one in audit(mlp, ranks="auto", batch=[kind]).layers:
        few = one.curves[0]
        every_rank = default_ranks(int(few.x[-1]))
        full = audit(mlp, layers=[one.tensor], ranks=every_rank, batch=[kind]).layers[0].curves[0]
        places = [full.x.index(rank) for rank in few.x]
        assert few.accuracy == tuple(full.accuracy[place] for place in places)
        assert few.error == tuple(full.error[place] for place in places)
        assert abs(few.auc - full.auc) <= few.auc_bound + 0.001


@pytest.mark.parametrize(
    ("threshold", "verdict", "passed"), [(0.1, "pass", True), (0.999, "fail", False)]
)
def test_a_gate_decides_the_verdict_and_holds_the_score(
    mlp: Sample, threshold: float, verdict: str, passed: bool
) -> None:
    report = audit(mlp, fail_under={"nmf.mixed": threshold})
    assert report.verdict == verdict
    (gate,) = report.gates
    assert gate.passed is passed
    assert gate.value == report.summary["nmf.mixed"].auc


def test_gate_compares_the_bound_of_the_interval(mlp: Sample) -> None:
    score = audit(mlp).summary["nmf.mixed"]
    assert score.auc is not None and score.auc_high is not None
    between = (score.auc + score.auc_high) / 2
    assert audit(mlp, fail_under={"nmf.mixed": between}).verdict == "pass"


def test_gate_without_a_score_is_undecided(cnn: Sample) -> None:
    report = audit(
        cnn,
        layers=["inner"],
        compress=["nmf", "ablation"],
        ranks="auto",
        fail_under={"nmf.mixed": 0.5},
    )
    assert report.layers[0].curves[0].saturated
    assert report.gates[0].passed is None
    assert (report.verdict, report.exit_code) == ("inconclusive", 3)
    assert "nmf.mixed" in report.reason


def test_accuracy_below_the_minimum_is_inconclusive(mlp: Sample) -> None:
    wrong = np.where(np.arange(len(mlp.y)) % 5 == 0, (mlp.y + 1) % CLASSES, mlp.y)
    report = onnxmem.audit(mlp.path, mlp.x, wrong, min_accuracy=0.9, **QUICK)
    assert report.baseline.value < 0.9
    assert report.verdict == "inconclusive"
    assert "--min-accuracy" in report.reason
    assert all(one.status == "skipped" and one.reason for one in report.layers)


def test_without_labels_the_own_predictions_count(mlp: Sample) -> None:
    report = onnxmem.audit(mlp.path, mlp.x, per_class=12, **QUICK)
    assert report.baseline.metric == "fidelity"
    assert report.baseline.value == 1
    assert report.verdict == "none"


def test_fidelity_with_labels_groups_by_label(mlp: Sample) -> None:
    wrong = (mlp.y + 1) % CLASSES
    report = onnxmem.audit(mlp.path, mlp.x, wrong, metric="fidelity", **QUICK)
    assert report.baseline.metric == "fidelity"
    assert report.baseline.value == 1
    assert report.verdict == "none"


def test_top1_needs_labels(mlp: Sample) -> None:
    with pytest.raises(DataError, match="--metric top1 needs labels"):
        onnxmem.audit(mlp.path, mlp.x, metric="top1")


def two_inputs(folder: Path) -> tuple[Path, dict[str, np.ndarray], np.ndarray]:
    """Write a network that adds its inputs before the hidden layers."""
    x, y = sample_networks.blobs(10)
    nodes, weights = sample_networks.mlp_parts(10)
    nodes = [helper.make_node("Add", ["left", "right"], ["x"]), *nodes]
    feeds = {"left": x / 4, "right": x * 3 / 4}
    path = folder / "two.onnx"
    onnx.save(sample_networks.with_readout(nodes, weights, ["n", 10], feeds, y), path)
    return path, feeds, y


def test_a_network_of_two_inputs_takes_both_by_name(tmp_path: Path, mlp: Sample) -> None:
    path, feeds, y = two_inputs(tmp_path)
    report = onnxmem.audit(path, feeds, y, **QUICK)
    assert report.verdict == "none"
    assert report.baseline.value > 0.9
    with pytest.raises(DataError, match="'right'"):
        onnxmem.audit(path, {"left": feeds["left"]}, y, **QUICK)


@pytest.mark.parametrize("batch", [1, 4])
def test_network_of_a_fixed_batch_gets_the_scores_of_a_free_one(
    tmp_path: Path, mlp: Sample, batch: int
) -> None:
    fixed = audit(sample_networks.make_mlp(tmp_path, batch=batch), ranks="auto")
    free = audit(mlp, ranks="auto")
    assert [one.status for one in fixed.layers] == [one.status for one in free.layers]
    for one, other in zip(fixed.layers, free.layers, strict=True):
        assert one.curves[0].accuracy == other.curves[0].accuracy
        assert one.curves[0].auc == other.curves[0].auc


def test_batch_that_cannot_be_freed_is_fed_piece_by_piece(
    tmp_path: Path, mlp: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onnxmem.graph.free_batch", lambda model: model)
    fixed, free = audit(sample_networks.make_mlp(tmp_path, batch=4)), audit(mlp)
    for one, other in zip(fixed.layers, free.layers, strict=True):
        assert one.curves[0].auc == pytest.approx(other.curves[0].auc, abs=0.02)


@pytest.mark.parametrize("memory", [2**20, 2**18])
def test_small_budget_gives_the_same_result(cnn: Sample, memory: int) -> None:
    small, ample = (audit(cnn, memory=size, batch=["class", "mixed"]) for size in (memory, 2**30))
    assert without_settings(small).summary.keys() == ample.summary.keys()
    for one, other in zip(small.layers, ample.layers, strict=True):
        for few, many in zip(one.curves, other.curves, strict=True):
            assert few.accuracy == many.accuracy
            assert few.error == pytest.approx(many.error, rel=1e-4)


def test_budget_below_one_batch_of_any_layer(cnn: Sample) -> None:
    with pytest.raises(OutOfMemoryError, match="use a larger --memory"):
        audit(cnn, memory=100)


def test_layer_that_runs_out_of_memory_is_skipped_alone(
    cnn: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure = layer.measure_curve

    def run_out_at_stem(run: Any, *rest: Any) -> Any:
        if run.cut.tensor == "stem":
            raise MemoryError
        return measure(run, *rest)

    monkeypatch.setattr(layer, "measure_curve", run_out_at_stem)
    report = audit(cnn)
    assert [one.status == "skipped" for one in report.layers] == [True, False, False]
    assert "out of memory" in report.layers[0].reason
    assert (report.verdict, report.exit_code) == ("inconclusive", 3)


def test_factors_that_cannot_be_kept_are_made_again_batch_by_batch(
    mlp: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = audit(mlp, batch=["class", "mixed"])
    monkeypatch.setattr(points, "_FACTOR_BYTES", 100)
    forgotten = audit(mlp, batch=["class", "mixed"])
    assert forgotten.layers == kept.layers


def test_full_grid_is_measured_where_factors_cannot_be_kept(
    mlp: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(points, "_FACTOR_BYTES", 100)
    for one in audit(mlp, ranks="auto").layers:
        assert one.curves[0].x == default_ranks(int(one.curves[0].x[-1]))
        assert one.curves[0].auc_bound == 0


def test_layer_that_fails_its_self_check_is_skipped(
    cnn: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = layer_run.LayerRun.check

    def fail_at_inner(run: Any) -> float:
        return 0.5 if run.cut.tensor == "inner" else check(run)

    monkeypatch.setattr(layer_run.LayerRun, "check", fail_at_inner)
    report = audit(cnn)
    assert [one.status for one in report.layers] == ["scored", "skipped", "scored"]
    skipped = report.layers[1]
    assert "self-check" in skipped.reason
    assert skipped.cut is not None and skipped.cut.relative_error == 0.5
    assert report.summary["nmf.mixed"].layers_scored == 2
    assert (report.verdict, report.exit_code) == ("inconclusive", 3)
    assert "'inner'" in report.reason


def test_tail_that_onnxruntime_refuses_is_skipped(
    cnn: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    compile_tail = split_network.SplitNetwork._compile_tail

    def refuse_inner(runner: Any, piece: Any) -> Any:
        if runner.cut.tensor == "inner":
            raise ModelRefusedError("onnxruntime refuses the model: no such kernel")
        return compile_tail(runner, piece)

    monkeypatch.setattr(split_network.SplitNetwork, "_compile_tail", refuse_inner)
    report = audit(cnn)
    assert [one.status for one in report.layers] == ["scored", "skipped", "scored"]
    assert "no such kernel" in report.layers[1].reason


def test_model_without_relu(tmp_path: Path, mlp: Sample) -> None:
    nodes = [helper.make_node("Sigmoid", ["x"], ["logits"])]
    onnx.save(sample_networks.build(nodes, {}, ["n", 10], "logits"), tmp_path / "net.onnx")
    report = onnxmem.audit(tmp_path / "net.onnx", mlp.x, mlp.y, fail_under={"nmf.mixed": 0.5})
    assert "Sigmoid (1)" in report.reason
    assert (report.verdict, report.exit_code) == ("inconclusive", 3)
    assert (report.baseline.metric, report.baseline.value, report.baseline.chance) == (
        "top1", None, None,
    )  # fmt: skip
    assert not report.measured and not report.layers
    assert report.summary["nmf.mixed"] == Score(None, None, None, 0, 0)
    assert [(gate.key, gate.passed) for gate in report.gates] == [("nmf.mixed", None)]


def test_pattern_that_matches_nothing_names_the_layers(mlp: Sample) -> None:
    with pytest.raises(UsageError, match="relu1, relu2"):
        audit(mlp, layers=["conv*"])


def test_progress_counts_every_curve(cnn: Sample) -> None:
    events: list[Progress] = []
    audit(cnn, batch=["class", "mixed"], progress=events.append)
    counted = [event for event in events if event.total and event.unit == "curves"]
    assert [event.done for event in counted] == sorted(event.done for event in counted)
    assert counted[-1] == Progress("done", 6, 6)
    assert {"stem", "inner", "joined"} <= {event.stage for event in events}


def test_timings_are_seconds(mlp: Sample) -> None:
    assert min(audit(mlp).timings.values()) >= 0


@pytest.mark.parametrize("compress", [["nmf"], ["pca", "ablation"]])
@pytest.mark.parametrize("ranks", ["auto", [1, 2, 4, 8]])
def test_captures_that_are_not_kept_change_nothing_but_head_runs(
    cnn: Sample, ranks: Any, compress: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[int] = []
    capture = split_network.SplitNetwork.capture

    def counted(runner: Any, rows: np.ndarray, *rest: Any) -> Any:
        runs.append(len(rows))
        return capture(runner, rows, *rest)

    options: dict[str, Any] = {"compress": compress, "ranks": ranks, "batch": ["class", "mixed"]}
    kept = audit(cnn, **options)
    monkeypatch.setattr("onnxmem.network.memory._KEPT_SHARE", -1)
    plan = plan_audit(cnn.path, {"x": cnn.x, "y": cnn.y}, Settings(**(QUICK | options)))
    monkeypatch.setattr(split_network.SplitNetwork, "capture", counted)
    assert audit(cnn, **options).layers == kept.layers
    heads = sum(samples > 2 for samples in runs)
    least, most = (
        sum(getattr(one, which).head_runs for one in plan.layers) for which in ("least", "most")
    )
    assert least <= heads <= most
    assert ranks == "auto" or least == most
