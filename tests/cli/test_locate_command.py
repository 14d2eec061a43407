"""`onnxmem locate`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import layered_networks as layered
import numpy as np
import pytest

from onnxmem import models

Command = Callable[..., Any]
NOISY = models.network("vowels-mlp-p20")
NOISY_CLASSES = 11
GIVEN = ("locate", NOISY.path, "--data", NOISY.data_path, "--most", 60, "--units", 2)


def test_it_shows_what_was_found(command: Command) -> None:
    outcome = command(*GIVEN)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("Where vowels-mlp-p20.onnx memorizes\n- Suspects are ")
    assert "Gradients at the network" in outcome.out
    assert "From the checkpoint" not in outcome.out


def test_files_hold_all_parts(command: Command, folder: Path) -> None:
    files = [f"--{kind}=l.{kind}" for kind in ("json", "html", "markdown", "png", "svg")]
    outcome = command(*GIVEN, "--checkpoint", NOISY.path, *files, "-q")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    values = json.loads((folder / "l.json").read_text("utf-8"))
    assert values["schema"] == "onnxmem.locate/1"
    assert len(values["rewinding"]["segments"]) == len(values["gradients"][1]["layers"])
    assert values["settings"]["checkpoint"] == str(NOISY.path)
    assert outcome.new_files == ("l.html", "l.json", "l.markdown", "l.png", "l.svg")


def test_stdout_takes_one_of_them(command: Command) -> None:
    outcome = command(*GIVEN, "--json", "-")
    assert json.loads(outcome.out)["suspected"]["source"] == "true labels"
    assert outcome.err.startswith("vowels-mlp-p20.onnx: ")


def test_a_stored_one_is_shown_and_written_again(command: Command, folder: Path) -> None:
    command(*GIVEN, "--json", "l.json", "-q")
    again = command("report", "l.json", "--html", "l.html", "--json", "m.json", "--svg", "l.svg")
    assert again.code == 0
    assert (folder / "m.json").read_bytes() == (folder / "l.json").read_bytes()
    assert command("report", "l.json").out.startswith("Where vowels-mlp-p20.onnx memorizes")
    assert "cannot be written as junit" in command("report", "l.json", "--junit", "j").error


def test_what_samples_wrote_tells_suspects(command: Command, folder: Path) -> None:
    command("samples", NOISY.path, "--data", NOISY.data_path, "--csv", "s.csv", "-q")
    command(*GIVEN, "--suspects", "s.csv", "--json", "one.json", "-q")
    command(*GIVEN, "--suspects", "samples", "--json", "two.json", "-q")
    one, two = (json.loads((folder / f"{n}.json").read_text("utf-8")) for n in ("one", "two"))
    assert (one["suspected"]["source"], two["suspected"]["source"]) == ("file", "samples")
    assert one["gradients"] == two["gradients"]


def test_a_file_sets_options(command: Command, folder: Path) -> None:
    (folder / "onnxmem.toml").write_text("units = 0\nmost = 30\n", "utf-8")
    given = GIVEN[:4]
    outcome = command(*given, "--json", "l.json")
    assert "settings from onnxmem.toml: units = 0, most = 30" in outcome.err
    assert json.loads((folder / "l.json").read_text("utf-8"))["units"] is None


@pytest.mark.parametrize("suspects", ["samples", "s.csv"])
def test_paths_in_a_file_are_beside_it(command: Command, folder: Path, suspects: str) -> None:
    (folder / "s.csv").write_text("id\n0\n", "utf-8")
    (folder / "early.onnx").write_bytes(NOISY.path.read_bytes())
    text = f'checkpoint = "early.onnx"\nsuspects = "{suspects}"\nunits = 0\nmost = 10\n'
    (folder / "pyproject.toml").write_text(f"[tool.onnxmem]\n{text}", "utf-8")
    (folder / ".git").mkdir()
    (folder / "below").mkdir()
    os.chdir(folder / "below")
    outcome = command(*GIVEN[:4], "--json", "l.json")
    settings = json.loads((folder / "below" / "l.json").read_text("utf-8"))["settings"]
    assert settings["checkpoint"] == os.path.join("..", "early.onnx"), outcome.err
    assert settings["suspects"] == (suspects if suspects == "samples" else "../s.csv")


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (("--checkpoint", "nowhere.onnx"), "nowhere.onnx"),
        (("--suspects", "nowhere.csv"), "nowhere.csv"),
        (("--suspects", "few.npz"), "has 3 entries, the data have 640 rows"),
        (("--suspects", "odd.csv"), "names 1 ids that no sample has: 'nobody'"),
        (("--checkpoint", "other.onnx"), "activations to match"),
        (("--layers", "nothing*"), "no layer matches"),
        (("--most", "0"), "--most 0"),
        (("--json", "x", "--html", "x"), "same place"),
    ],
)
def test_wrong_usage_is_one_line(
    command: Command, folder: Path, extra: tuple[str, ...], message: str
) -> None:
    np.savez(folder / "few.npz", suspect=np.ones(3, bool))
    (folder / "odd.csv").write_text("id\nnobody\n", "utf-8")
    _shallow(folder / "other.onnx")
    outcome = command(*GIVEN, *extra)
    assert outcome.code == 2
    assert message in outcome.error


def _shallow(path: Path) -> None:
    """Write a network that takes the same inputs, with one ReLU."""
    rng = np.random.default_rng(0)
    weights = (rng.normal(size=(5, 144)), rng.normal(size=(NOISY_CLASSES, 5)))
    biases = (np.zeros(5), np.zeros(NOISY_CLASSES))
    single = [tuple(one.astype(np.float32) for one in group) for group in (weights, biases)]
    layered.write(path, layered.Dense(*single))


def test_the_model_and_the_checkpoint_are_not_overwritten(command: Command, folder: Path) -> None:
    (folder / "net.onnx").write_bytes(NOISY.path.read_bytes())
    outcome = command(*GIVEN, "--checkpoint", "net.onnx", "--json", "net.onnx")
    assert outcome.code == 2
    assert (folder / "net.onnx").read_bytes() == NOISY.path.read_bytes()


def test_without_suspects_it_exits_with_3_and_writes_the_reason(
    command: Command, folder: Path
) -> None:
    np.savez(folder / "none.npz", suspect=np.zeros(640, bool))
    outcome = command(*GIVEN, "--suspects", "none.npz", "--json", "l.json")
    assert outcome.code == 3
    assert "no sample is a suspect" in outcome.err
    assert "no sample is a suspect" in json.loads((folder / "l.json").read_text("utf-8"))["reason"]
