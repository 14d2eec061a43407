"""Lines that tell how far work is, where no terminal shows a bar."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from onnxmem.cli.lines import SILENCE, Lines
from sample_networks import Sample

from onnxmem.auditing import Progress
from onnxmem.text import printable

Command = Callable[..., Any]
FAST = ("--per-class", "12", "--ranks", "1,2", "--compress", "nmf", "--no-samples")


class Clock:
    """A clock that a test sets, and the lines that were said."""

    def __init__(self) -> None:
        self.seconds = 5.0
        self.lines: list[str] = []
        self.told = Lines("net.onnx", "reading the data", self.lines.append, lambda: self.seconds)

    def after(self, seconds: float) -> list[str]:
        """Let time pass, and return what is said then."""
        self.seconds += seconds
        before = len(self.lines)
        self.told.beat()
        return self.lines[before:]


def test_each_layer_has_a_line() -> None:
    clock = Clock()
    for done, tensor in enumerate(["relu1", "relu1", "relu2"]):
        clock.told.hear(Progress(tensor, done, 3))
    clock.told.hear(Progress("done", 3, 3))
    assert clock.lines == [
        "onnxmem: net.onnx: at relu1 (0 of 3 curves)",
        "onnxmem: net.onnx: at relu2 (2 of 3 curves)",
    ]


def test_neighbours_count_layers() -> None:
    clock = Clock()
    for done in range(3):
        clock.told.hear(Progress("neighbours", done, 2, unit="layers"))
    assert clock.lines == [
        "onnxmem: net.onnx: at neighbours (0 of 2 layers)",
        "onnxmem: net.onnx: at neighbours (1 of 2 layers)",
    ]


def test_nothing_is_silent_for_long() -> None:
    clock = Clock()
    assert clock.after(SILENCE - 1) == []
    assert clock.after(1) == ["onnxmem: net.onnx: still at reading the data (30 s)"]
    clock.told.hear(Progress("features", 10, 400, unit="samples"))
    assert clock.after(SILENCE) == [
        "onnxmem: net.onnx: still at features (10 of 400 samples, 60 s)"
    ]
    assert clock.after(SILENCE / 2) == []
    clock.told.hear(Progress("relu1", 0, 3))
    assert clock.after(SILENCE - 1) == []
    assert clock.told.beat() == 1


def test_notes_are_said_and_names_are_harmless() -> None:
    clock = Clock()
    clock.told.hear(Progress("a\x1b[31m", 0, 2, "compiling kernels"))
    assert clock.lines == [
        "onnxmem: net.onnx: compiling kernels",
        "onnxmem: net.onnx: at a\\x1b[31m (0 of 2 curves)",
    ]


@pytest.mark.parametrize("command_line", ["audit", "plan", "samples"])
def test_commands_tell_of_layers_unless_quiet(
    command: Command, mlp: Sample, command_line: str
) -> None:
    words: dict[str, tuple[str, ...]] = {
        "audit": ("audit", *FAST),
        "plan": ("audit", *FAST, "--plan"),
        "samples": ("samples",),
    }
    name, *options = words[command_line]
    line = (name, mlp.path, "--data", mlp.data, *options)
    told = "".join(command(*line, "--no-cache").progress)
    assert ("relu1" in told) or ("neighbours" in told and "layers)" in told), told
    outcome = command(*line, "--no-cache", "-q")
    assert (outcome.err, outcome.progress) == ("", ())


def test_a_bar_counts_in_the_units_of_its_stage(
    command: Command, mlp: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    outcome = command("samples", mlp.path, "--data", mlp.data, "--no-cache", "--json", "-")
    assert "curves" not in outcome.err


def test_what_is_compiled_is_said_once(
    command: Command, mlp: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onnxmem.auditing.run.first_use", lambda device: "compiling kernels")
    outcome = command("audit", mlp.path, "--data", mlp.data, *FAST, "--json", "-", "--no-cache")
    assert [line for line in outcome.progress if "compiling" in line] == [
        f"onnxmem: {printable(str(mlp.path), 80)}: compiling kernels\n"
    ]


def test_checking_cuts_is_never_silent_for_long(
    command: Command, mlp: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onnxmem.cli.lines.SILENCE", 0.0)
    told = command("inspect", mlp.path, "--verify", "--json", "r.json").progress
    assert told and "still at running every cut" in told[0]
    assert command("inspect", mlp.path, "--verify", "-q").progress == ()
