"""`onnxmem track`: files in every form, folders and patterns, and what is refused."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import courses
import numpy as np
import pytest
from courses import Course

Command = Callable[..., Any]


@pytest.fixture
def course(folder: Path) -> Course:
    """Give a course of six checkpoints in `run`, and its data."""
    (folder / "run").mkdir()
    made = courses.make(folder / "run")
    np.savez(folder / "data.npz", x=made.x, y=made.y)
    np.savez(folder / "held.npz", x=made.held_x)
    return made


GIVEN = ("--data", "data.npz", "--held-out", "held.npz")


def test_a_folder_is_tracked_in_natural_order(command: Command, course: Course) -> None:
    outcome = command("track", "run", *GIVEN, "--json", "t.json")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("Keep epoch_")
    values = json.loads(Path("t.json").read_text("utf-8"))
    assert values["schema"] == "onnxmem.track/1"
    assert [Path(one["path"]).name for one in values["checkpoints"]] == [
        f"epoch_{epoch}.onnx" for epoch in courses.EPOCHS
    ]
    assert values["chosen"] == values["choice"]["path"]
    assert all(len(one["agreement"]) == 2 for one in values["checkpoints"])


def test_all_files_are_written(command: Command, course: Course) -> None:
    formats = ("json", "html", "markdown", "csv", "png", "svg")
    wanted = [part for name in formats for part in (f"--{name}", f"t.{name}")]
    outcome = command("track", "run/epoch_*0.onnx", *GIVEN, *wanted, "-q")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    assert outcome.new_files == tuple(sorted(f"t.{name}" for name in formats))
    with Path("t.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["row"] for row in rows] == [str(row) for row in range(len(course.x))]
    assert {row["fitted_from"] for row in rows} <= {
        "", "run/epoch_10.onnx", "run/epoch_40.onnx", "run/epoch_160.onnx",
    }  # fmt: skip


def test_stdout_takes_one_of_them(command: Command, course: Course) -> None:
    outcome = command("track", *course.paths[:2], *GIVEN, "--csv", "-")
    assert outcome.out.startswith("id,row,label,margin,")
    assert outcome.err.startswith("Keep epoch_")


def test_a_stored_course_is_shown_and_written_again(command: Command, course: Course) -> None:
    command("track", *course.paths[:2], *GIVEN, "--json", "t.json", "-q")
    again = command("report", "t.json", "--png", "t.png", "--json", "u.json")
    assert again.code == 0
    assert Path("u.json").read_bytes() == Path("t.json").read_bytes()
    assert command("report", "t.json").out.startswith("Keep epoch_")
    assert "cannot be written as junit" in command("report", "t.json", "--junit", "j.xml").error


def test_a_second_run_gives_the_same_bytes(command: Command, course: Course) -> None:
    for name in ("a.json", "b.json"):
        command("track", "run", *GIVEN, "--json", name, "-q")
    one, two = (json.loads(Path(name).read_text("utf-8")) for name in ("a.json", "b.json"))
    assert {**one, "timings": {}} == {**two, "timings": {}}


def test_without_held_out_inputs_the_reason_is_told(command: Command, course: Course) -> None:
    outcome = command("track", *course.paths[:2], "--data", "data.npz")
    assert outcome.code == 0
    assert outcome.out.startswith("No checkpoint is chosen without held-out inputs")


def test_another_architecture_is_wrong_usage(command: Command, course: Course, cnn: Any) -> None:
    outcome = command("track", course.paths[0], cnn.path, *GIVEN, "--json", "t.json")
    assert outcome.code == 2
    assert "is no checkpoint of the architecture of" in outcome.error


@pytest.mark.parametrize(
    "places", [(), ("nothing-*.onnx",), ("missing.onnx",), ("empty",)], ids=str
)
def test_no_checkpoint_is_wrong_usage(
    command: Command, course: Course, places: tuple[str, ...]
) -> None:
    Path("empty").mkdir()
    outcome = command("track", *places, *GIVEN, "--json", "t.json")
    assert outcome.code == 2
    assert outcome.error


def test_a_checkpoint_is_never_overwritten(command: Command, course: Course) -> None:
    outcome = command("track", "run", *GIVEN, "--json", "run/epoch_1.onnx")
    assert outcome.code == 2
    assert "would overwrite what is read" in outcome.error
