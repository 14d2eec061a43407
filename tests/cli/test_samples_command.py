"""`onnxmem samples` and what `audit` takes from it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sample_networks import Sample

from onnxmem import models

Command = Callable[..., Any]
NOISY = models.network("vowels-mlp-p20")
GIVEN = (NOISY.path, "--data", NOISY.data_path)


def test_it_shows_what_was_found(command: Command) -> None:
    outcome = command("samples", *GIVEN)
    assert outcome.code == 0
    assert outcome.out.startswith("vowels-mlp-p20.onnx memorized ")
    assert "label noise found" in " ".join(outcome.out.split())
    assert outcome.err == ""


def test_files_hold_all_samples(command: Command, folder: Path) -> None:
    outcome = command(
        *("samples", *GIVEN, "--json", "s.json", "--csv", "s.csv", "--html", "s.html"),
        *("--markdown", "s.md", "-q"),
    )
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    values = json.loads((folder / "s.json").read_text("utf-8"))
    assert values["schema"] == "onnxmem.samples/1"
    with (folder / "s.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(values["samples"]) == len(rows) == 460
    assert [one["id"] for one in values["samples"]] == [row["id"] for row in rows]
    assert outcome.new_files == ("s.csv", "s.html", "s.json", "s.md")


def test_stdout_takes_one_of_them(command: Command) -> None:
    outcome = command("samples", *GIVEN, "--csv", "-")
    assert outcome.out.startswith("id,row,label,")
    assert outcome.err.startswith("vowels-mlp-p20.onnx memorized ")


def test_a_stored_one_is_shown_and_written_again(command: Command, folder: Path) -> None:
    command("samples", *GIVEN, "--json", "s.json", "-q")
    again = command("report", "s.json", "--html", "s.html", "--json", "t.json")
    assert again.code == 0
    assert (folder / "t.json").read_bytes() == (folder / "s.json").read_bytes()
    assert command("report", "s.json").out.startswith("vowels-mlp-p20.onnx memorized ")
    assert "cannot be written as junit" in command("report", "s.json", "--junit", "j.xml").error


@pytest.mark.parametrize("given", ["heldout", "other.npz"])
def test_held_out_samples_are_a_split_or_a_file(command: Command, folder: Path, given: str) -> None:
    data = dict(np.load(NOISY.data_path))
    held = data["split"] == "heldout"
    np.savez(folder / "other.npz", x=data["x"][held][:50])
    command("samples", *GIVEN, "--held-out", given, "--json", "s.json", "-q")
    network = json.loads((folder / "s.json").read_text("utf-8"))["network"]
    assert network["held_out_samples"] == (180 if given == "heldout" else 50)
    assert (network["held_out_accuracy"] is None) == (given != "heldout")


def test_neither_a_split_nor_a_file_is_wrong_usage(command: Command) -> None:
    outcome = command("samples", *GIVEN, "--held-out", "later")
    assert outcome.code == 2
    assert "later" in outcome.error


def test_what_cannot_be_told_exits_with_3_and_writes_the_reason(
    command: Command, folder: Path, mlp: Sample
) -> None:
    np.savez(folder / "few.npz", x=mlp.x[:15], y=mlp.y[:15])
    outcome = command("samples", mlp.path, "--data", "few.npz", "--json", "s.json")
    assert outcome.code == 3
    assert "15 different training samples are too few" in outcome.err
    assert json.loads((folder / "s.json").read_text("utf-8"))["network"] is None


def test_labels_are_needed(command: Command, folder: Path, mlp: Sample) -> None:
    np.savez(folder / "bare.npz", x=mlp.x)
    outcome = command("samples", mlp.path, "--data", "bare.npz")
    assert outcome.code == 2
    assert "give an array 'y'" in outcome.error


def test_an_audit_writes_all_samples_too(command: Command, folder: Path) -> None:
    options = ("--compress", "pca", "--ranks", "1,4", "--batch", "mixed", "-q")
    assert command("audit", *GIVEN, *options, "--samples", "s.csv").code == 0
    assert len((folder / "s.csv").read_text("utf-8").splitlines()) == 461
    wrong = command("audit", *GIVEN, *options, "--samples", "s.txt")
    assert (wrong.code, "ends in .csv or .parquet" in wrong.err) == (2, True)
    wrong = command("audit", *GIVEN, *options, "--samples", "s.csv", "--no-samples")
    assert (wrong.code, "exclude each other" in wrong.err) == (2, True)


def test_a_gate_of_the_command_line_holds_a_share_down(command: Command) -> None:
    options = ("--compress", "pca", "--ranks", "1,4", "--batch", "mixed", "-q")
    failed = command("audit", *GIVEN, *options, "--fail-over", "memorized_share=0.05")
    assert failed.code == 1
    assert "memorized_share is 0.2" in failed.err
    passed = command("audit", *GIVEN, *options, "--fail-over", "memorized_share=0.5")
    assert passed.code == 0


@pytest.mark.parametrize("limit", ["memorized=0.5", "memorized_share=2", "label_noise=x"])
def test_a_gate_that_cannot_be_is_wrong_usage(command: Command, limit: str) -> None:
    assert command("audit", *GIVEN, "--fail-over", limit).code == 2


def test_options_may_stand_in_a_file(command: Command, folder: Path) -> None:
    (folder / "onnxmem.toml").write_text('held-out = "heldout"\npool = "mean"\n')
    outcome = command("samples", *GIVEN, "--json", "s.json")
    assert outcome.code == 0
    assert "settings from onnxmem.toml" in outcome.err
    settings = json.loads((folder / "s.json").read_text("utf-8"))["settings"]
    assert settings["pool"] == "mean"
