"""Gates from outside: what they need, and what a baseline has to be."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sample_networks
from onnx import helper
from sample_networks import CLASSES, Sample

Command = Callable[..., Any]

FAST = ("--per-class", "12", "--ranks", "1,2", "--compress", "nmf", "--no-samples", "-q")
GATE = ("--fail-under", "nmf.mixed=0.1")


@pytest.fixture
def unnamed(folder: Path, mlp: Sample) -> Path:
    """Give the samples of `mlp` with their labels under another name."""
    np.savez(folder / "unnamed.npz", x=mlp.x, labels=mlp.y)
    return folder / "unnamed.npz"


@pytest.mark.parametrize(
    "gate",
    [GATE, ("--min-accuracy", "0.1"), ("--baseline", "old.json", "--max-drop", "0.1")],
    ids=["fail-under", "min-accuracy", "baseline"],
)
@pytest.mark.parametrize("name", ["audit", "compare"])
def test_labels_under_another_name_pass_no_gate(
    command: Command, mlp: Sample, unnamed: Path, gate: tuple[str, ...], name: str
) -> None:
    data = ("--data", unnamed, *FAST)
    assert command("audit", mlp.path, *data, "--json", "old.json").code == 0
    models = [mlp.path] * (2 if name == "compare" else 1)
    outcome = command(name, *models, *data, *gate)
    assert outcome.code == 2
    assert "'labels' (int64 [96])" in outcome.error and "--label-column labels" in outcome.error
    if "--baseline" not in gate or name == "audit":
        assert command(name, *models, *data, *gate, "--metric", "fidelity").code == 0


def test_text_labels_of_a_table_pass_no_gate(command: Command, mlp: Sample, folder: Path) -> None:
    pa, parquet = (pytest.importorskip(n) for n in ("pyarrow", "pyarrow.parquet"))
    table = {"x": list(mlp.x), "kind": [f"c{label}" for label in mlp.y]}
    parquet.write_table(pa.table(table), folder / "t.parquet")
    outcome = command("audit", mlp.path, "--data", "t.parquet", *FAST, *GATE)
    assert outcome.code == 2
    assert "'kind' (text [96])" in outcome.error


def test_stored_reports_of_fidelity_need_the_word(
    command: Command, mlp: Sample, unnamed: Path
) -> None:
    command("audit", mlp.path, "--data", unnamed, *FAST, "--json", "a.json")
    refused = command("compare", "a.json", "a.json", *GATE)
    assert refused.code == 2 and "--metric fidelity" in refused.error
    assert command("compare", "a.json", "a.json", *GATE, "--metric", "fidelity", "-q").code == 0


def test_fewer_classes_are_inconclusive_unless_they_are_meant(
    command: Command, mlp: Sample, folder: Path
) -> None:
    rows = np.flatnonzero(mlp.y < CLASSES - 1)
    np.savez(folder / "few.npz", x=mlp.x[rows], y=mlp.y[rows])
    audit = ("audit", mlp.path, "--data", "few.npz", *FAST, *GATE)
    outcome = command(*audit, "--json", "r.json", "--junit", "r.xml")
    assert outcome.code == 3
    assert outcome.err.count("a gate needs 10 different samples of each of 4 classes") == 1
    report = json.loads((folder / "r.json").read_text("utf-8"))
    assert (report["gates"][0]["passed"], report["settings"]["classes"]) == (None, CLASSES)
    assert "the data carry no gate" in (folder / "r.xml").read_text("utf-8")
    assert command(*audit, "--classes", CLASSES - 1).code == 0
    assert command(*audit, "--classes", 1).code == 2


def test_a_baseline_of_another_network_is_refused_with_its_layers(
    command: Command, mlp: Sample, folder: Path
) -> None:
    nodes = [
        helper.make_node("Gemm", ["x", "w"], ["sum"], transB=1),
        helper.make_node("Relu", ["sum"], ["only"]),
        helper.make_node("Identity", ["only"], ["features"]),
    ]
    weights = {"w": sample_networks.draw(np.random.default_rng(0), 24, 10)}
    model = sample_networks.with_readout(nodes, weights, ["n", 10], {"x": mlp.x}, mlp.y)
    small = sample_networks.store(folder, "small", model, mlp.x, mlp.y)
    command("audit", mlp.path, "--data", mlp.data, *FAST, "--json", "old.json")
    drop = ("--baseline", "old.json", "--max-drop", "0.5")
    outcome = command("audit", small.path, "--data", mlp.data, *FAST, *drop)
    assert outcome.code == 2
    assert "'relu1' (Relu" in outcome.error and "'only' (Relu ?×24) here" in outcome.error


def test_a_baseline_of_other_data_has_to_be_meant(
    command: Command, mlp: Sample, folder: Path
) -> None:
    command("audit", mlp.path, "--data", mlp.data, *FAST, "--json", "old.json")
    np.savez(folder / "new.npz", x=mlp.x * np.float32(1.01), y=mlp.y)
    audit = ("audit", mlp.path, "--data", "new.npz", *FAST, "--baseline", "old.json")
    refused = command(*audit, "--max-drop", "0.5")
    assert refused.code == 2 and "--baseline-data other" in refused.error
    allowed = command(*audit, "--max-drop", "0.5", "--baseline-data", "other", "--json", "r.json")
    assert allowed.code == 0
    gates = json.loads((folder / "r.json").read_text("utf-8"))["gates"]
    assert gates and all("on other data" in gate["note"] for gate in gates)
