"""`onnxmem compare`: each model on its own samples and labels, and how alike they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sample_networks import Sample

from onnxmem import models
from onnxmem.records import Report

Command = Callable[..., Any]

QUICK = ("--ranks", "1,2,4", "--compress", "nmf", "--per-class", "10", "--device", "cpu")


def test_networks_are_compared_each_on_its_own_labels(
    command: Command, mlp: Sample, other: Path, folder: Path
) -> None:
    with np.load(mlp.data) as arrays:
        np.savez("own.npz", **{**arrays, "y": np.roll(arrays["y"], 1)})
    both = ("--data", mlp.data, "--data", "own.npz", "--metric", "fidelity")
    outcome = command("compare", mlp.path, other, *both, *QUICK, "--json", "c.json")
    assert outcome.code == 0, outcome.err
    values = json.loads((folder / "c.json").read_text("utf-8"))
    one, two = values["reports"]
    assert one["data"]["sha256"] != two["data"]["sha256"]
    assert "not paired" in values["notes"][0]
    cell = values["summary"]["nmf.mixed"][1]
    assert cell["difference"] is not None and cell["difference_low"] is None


def test_reports_of_other_labels_are_compared_on_request(
    command: Command, report: Report, folder: Path
) -> None:
    report.to_json(folder / "a.json")
    replace(report, data=replace(report.data, sha256="0" * 64)).to_json(folder / "b.json")
    refused = command("compare", "a.json", "b.json")
    assert refused.code == 2 and "--own-data" in refused.error
    outcome = command("compare", "a.json", "b.json", "--own-data")
    assert outcome.code == 0, outcome.err
    assert "not paired" in " ".join(outcome.out.split())


def test_data_are_given_once_or_for_each_model(command: Command, mlp: Sample, other: Path) -> None:
    thrice = ("--data", mlp.data) * 3
    assert "3 times --data for 2 models" in command("compare", mlp.path, other, *thrice).error


LIKE = ("--compress", "pca", "--ranks", "1,4", "--batch", "mixed", "--per-class", "10")


def shipped(*names: str) -> list[Path]:
    return [models.network(name).path for name in names]


def test_models_are_likened_on_held_out_inputs(command: Command, folder: Path) -> None:
    data = models.network("vowels-mlp-p00").data_path
    paths = shipped("vowels-mlp-p00", "vowels-mlp-p20", "vowels-mlp-p100")
    options = (*LIKE, "--no-samples", "--metric", "fidelity", "--json", "c.json")
    outcome = command("compare", *paths, "--data", data, *options, "--html", "c.html")
    assert outcome.code == 0
    values = json.loads((folder / "c.json").read_text("utf-8"))
    assert values["held_out_samples"] == 180
    assert len(values["predictions"]) == 3 and len(values["similarity"]) == 3 * 4
    kappas = [one["kappa"] for one in values["predictions"]]
    assert kappas[0] > 0.8 and max(kappas[1:]) < 0.3
    last = [one for one in values["similarity"] if one["kind"] == "output"]
    assert [one["layer"] for one in last] == ["logits"] * 3
    assert last[0]["cka"] > max(one["cka"] for one in last[1:])
    told = " ".join(outcome.out.split())
    assert "p00 and p20 (" in told and ") agree the most" in told
    assert "map-1" in (folder / "c.html").read_text("utf-8")
    again = command("report", "c.json", "--json", "d.json", "--svg", "d.svg")
    assert again.code == 0
    assert (folder / "d.json").read_bytes() == (folder / "c.json").read_bytes()


def test_held_out_inputs_may_lie_in_a_file(command: Command, folder: Path) -> None:
    network = models.network("vowels-mlp-p00")
    with np.load(network.data_path) as data:
        train = data["split"] == "train"
        np.savez(folder / "t.npz", x=data["x"][train], y=data["y"][train])
        np.savez(folder / "h.npz", x=data["x"][~train][:40])
    paths = shipped("vowels-mlp-p00", "vowels-mlp-p20")
    options = (*LIKE, "--no-samples", "--metric", "fidelity", "-q", "--json", "c.json")
    command("compare", *paths, "--data", "t.npz", *options)
    bare = json.loads((folder / "c.json").read_text("utf-8"))
    assert (bare["held_out_samples"], bare["similarity"], bare["predictions"]) == (0, [], [])
    command("compare", *paths, "--data", "t.npz", "--held-out", "h.npz", *options)
    found = json.loads((folder / "c.json").read_text("utf-8"))
    assert found["held_out_samples"] == 40


def test_models_with_data_of_their_own_are_likened_where_inputs_are_the_same(
    command: Command, folder: Path
) -> None:
    names = ("vowels-mlp-p00", "vowels-mlp-p20")
    with np.load(models.network(names[1]).data_path) as data:
        arrays = dict(data)
    order = np.random.default_rng(0).permutation(len(arrays["x"]))
    np.savez(folder / "own.npz", **{name: one[order] for name, one in arrays.items()})
    first = ("--data", models.network(names[0]).data_path)
    options = (*LIKE, "--no-samples", "-q", "--json", "c.json")
    command("compare", *shipped(*names), *first, "--data", "own.npz", *options)
    found = json.loads((folder / "c.json").read_text("utf-8"))
    assert found["predictions"][0]["kappa"] > 0.8
    arrays["x"] = arrays["x"] + np.float32(1)
    np.savez(folder / "own.npz", **arrays)
    command("compare", *shipped(*names), *first, "--data", "own.npz", *options)
    found = json.loads((folder / "c.json").read_text("utf-8"))
    assert found["predictions"] == []
    assert any("different held-out inputs" in note for note in found["notes"])
