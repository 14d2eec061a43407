"""`onnxmem audit --plan`: what an audit would cost, and nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sample_networks import Sample

from onnxmem.compression import points
from onnxmem.network import layer_run

Command = Callable[..., Any]


def planned(command: Command, sample: Sample, *options: object) -> dict[str, Any]:
    outcome = command(
        "audit", sample.path, "--data", sample.data, "--plan", "--json", "-", *options
    )
    assert outcome.code == 0, outcome
    plan: dict[str, Any] = json.loads(outcome.out)
    return plan


def test_plan_is_a_table_and_leaves_nothing(command: Command, cnn: Sample) -> None:
    outcome = command("audit", cnn.path, "--data", cnn.data, "--plan")
    assert outcome.code == 0
    assert not outcome.err
    assert not outcome.new_files
    for text in ("stem", "inner", "joined", "sessions", "Memory", "seconds"):
        assert text in outcome.out


def test_json_hides_no_name_that_turns_text_around(
    command: Command, mlp: Sample, folder: Path
) -> None:
    name = "a\u202eb.onnx"
    shutil.copy(mlp.path, folder / name)
    outcome = command("audit", name, "--data", mlp.data, "--plan", "--json", "-", "--ranks", 1)
    assert "\u202e" not in outcome.out
    assert json.loads(outcome.out)["model"] == name


@pytest.mark.parametrize("name", ["mlp", "cnn"])
@pytest.mark.parametrize("ranks", ["1,2,4", "auto"])
def test_runs_are_those_of_the_audit(
    command: Command,
    name: str,
    ranks: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sample = request.getfixturevalue(name)
    options = ("--ranks", ranks, "--per-class", 12)
    plan = planned(command, sample, *options)
    runs: list[int] = []
    hits, deviation = layer_run.LayerRun.hits, layer_run.LayerRun._deviation

    def counted(run: Any, keys: Any, *rest: Any) -> Any:
        runs.extend(number for _, number in keys)
        return hits(run, keys, *rest)

    def counted_check(run: Any, key: tuple[str, int]) -> Any:
        runs.append(key[1])
        return deviation(run, key)

    monkeypatch.setattr(layer_run.LayerRun, "hits", counted)
    monkeypatch.setattr(layer_run.LayerRun, "_deviation", counted_check)
    command("audit", sample.path, "--data", sample.data, "-q", *options)
    assert plan["least"]["tail_runs"] <= len(runs) + plan["batches"]
    assert len(runs) <= plan["most"]["tail_runs"]
    if ranks != "auto":
        assert plan["least"]["tail_runs"] == plan["most"]["tail_runs"]
    assert plan["sessions"] == 2 * len(plan["layers"]) + 1
    assert 0 < plan["least"]["seconds"] <= plan["most"]["seconds"]
    assert all(layer["memory"] < plan["peak_memory"] for layer in plan["layers"])


def test_ranks_are_no_fractions(command: Command, mlp: Sample) -> None:
    everything = planned(command, mlp, "--ranks", "1,2")
    nmf = planned(command, mlp, "--ranks", "1,2", "--compress", "nmf")
    for both, alone in zip(everything["layers"], nmf["layers"], strict=True):
        assert both["ranks"] == alone["ranks"] == [1, 2]
        assert both["memory"] == alone["memory"]
    (ablated, *_) = planned(command, mlp, "--compress", "ablation")["layers"]
    assert ablated["ranks"] == []


def test_factors_without_room_are_held_for_running_batches_alone(
    command: Command, mlp: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    roomy = planned(command, mlp)["layers"]
    monkeypatch.setattr(points, "_FACTOR_BYTES", 1)
    for before, layer in zip(roomy, planned(command, mlp)["layers"], strict=True):
        assert layer["memory"] < before["memory"]
        assert layer["least"]["tail_runs"] > before["least"]["tail_runs"]


@pytest.mark.parametrize(
    ("options", "match"),
    [(("--metric", "top1"), "needs labels"), (("--max-drop", 0.1), "belong together")],
)
def test_plan_refuses_what_the_audit_refuses(
    command: Command, mlp: Sample, options: tuple[object, ...], match: str
) -> None:
    np.savez("unlabelled.npz", x=mlp.x)
    audit = ("audit", mlp.path, "--data", "unlabelled.npz", *options)
    for outcome in (command(*audit), command(*audit, "--plan")):
        assert outcome.code == 2
        assert match in outcome.error


def test_layer_that_does_not_fit_is_named(command: Command, cnn: Sample) -> None:
    plan = planned(command, cnn, "--memory", "15k")
    assert all("use a larger --memory" in layer["reason"] for layer in plan["layers"])


def test_plan_makes_no_report(command: Command, mlp: Sample) -> None:
    outcome = command("audit", mlp.path, "--data", mlp.data, "--plan", "--html", "page.html")
    assert outcome.code == 2
    assert "--json alone" in outcome.error
