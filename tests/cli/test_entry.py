"""The command itself: help, version, and what becomes of errors."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from onnxmem.cli.entry import COMMANDS
from sample_networks import Sample

import onnxmem

Command = Callable[..., Any]


def test_the_version_is_told(command: Command) -> None:
    outcome = command("--version")
    assert outcome.code == 0
    assert onnxmem.__version__ in outcome.out


@pytest.mark.parametrize("arguments", [("--help",), ("-h",)])
def test_help_lists_all_commands(command: Command, arguments: tuple[str, ...]) -> None:
    outcome = command(*arguments)
    assert outcome.code == 0
    assert COMMANDS.keys() <= set(outcome.out.split())


def test_without_arguments_the_help_is_shown(command: Command) -> None:
    assert command() == command("--help")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(command: Command, name: str) -> None:
    outcome = command(name, "--help")
    assert outcome.code == 0
    assert f"onnxmem {name}" in outcome.out.splitlines()[0]


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("audti",), "did you mean 'audit'?"),
        (("Compare", "a", "b"), "did you mean 'compare'?"),
        (("net.onnx", "--data", "d"), "did you mean 'onnxmem audit net.onnx --data DATA'?"),
        (("xyz",), "there are audit, "),
    ],
)
def test_a_command_that_is_misspelt_gets_a_suggestion(
    command: Command, arguments: tuple[str, ...], meant: str
) -> None:
    outcome = command(*arguments)
    assert outcome.code == 2
    assert meant in outcome.err and outcome.err.count("\n") == 1


def test_a_word_that_is_misspelt_gets_a_suggestion(command: Command, mlp: Sample) -> None:
    outcome = command("audit", mlp.path, "--data", mlp.data, "--batch", "mixd")
    assert outcome.code == 2 and "did you mean 'mixed'?" in outcome.err


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("onnxmem.cli.config.find", fail)


@pytest.mark.parametrize(
    ("error", "words"),
    [(MemoryError(), "out of memory"), (KeyError("oops\nmore"), "internal error (KeyError")],
)
def test_error_of_our_own_making_has_one_line_and_a_code(
    command: Command, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    raising(monkeypatch, error)
    outcome = command("audit", "net.onnx")
    assert outcome.code == 4
    assert words in outcome.error


def test_interrupt_has_a_code_of_its_own(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    raising(monkeypatch, KeyboardInterrupt())
    outcome = command("audit", "net.onnx")
    assert outcome.code == 130
    assert outcome.err == "onnxmem: interrupted; no output was written\n"


@pytest.mark.skipif(os.name == "nt", reason="needs pipes that break")
@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ((), 0, ""),
        (("--fail-under", "nmf.mixed=0.999"), 1, ""),
        (("--html", "-"), 2, "cannot write stdout"),
    ],
)
def test_reader_that_goes_away_does_not_change_the_verdict(
    mlp: Sample, tmp_path: Path, options: tuple[str, ...], code: int, words: str
) -> None:
    start = [sys.executable, "-c", "from onnxmem.cli import main; main()", "audit", str(mlp.path)]
    process = subprocess.Popen(
        [*start, "--data", str(mlp.data), "--per-class", "10", "--ranks", "1", *options],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait() == code, err
    assert words in err
    others = [line for line in err.splitlines() if not re.search(r": at .* \(.*\)$", line)]
    assert len(others) <= 1, others


WAYS = ["nobody reads", "the disk is full", "it is closed"]
"""Why nothing that is written to a stream arrives."""


def run_deaf(arguments: list[str], deaf: str, why: str) -> subprocess.CompletedProcess[str]:
    """Run the command with stdout or stderr lost."""
    start = [sys.executable, "-c", "from onnxmem.cli import main; main()", *arguments]
    streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    if why == "nobody reads":
        reader, streams[deaf] = os.pipe()
        os.close(reader)
    elif why == "the disk is full":
        streams[deaf] = os.open("/dev/full", os.O_WRONLY)
    else:
        start = ["sh", "-c", f'exec "$@" {"1" if deaf == "stdout" else "2"}>&-', "sh", *start]
    done = subprocess.run(start, check=False, text=True, **streams)
    if streams[deaf] != subprocess.PIPE:
        os.close(streams[deaf])
    return done


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("arguments", [["--help"], ["audit", "--help"], ["--version"], ["cache"]])
@pytest.mark.parametrize("why", WAYS)
def test_no_word_that_is_lost_looks_like_a_failed_gate(arguments: list[str], why: str) -> None:
    done = run_deaf(arguments, "stdout", why)
    assert done.returncode == (2 if why == "the disk is full" else 0)
    assert len(done.stderr.splitlines()) == (why == "the disk is full"), done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("why", WAYS)
def test_what_was_asked_for_on_stdout_and_is_lost_is_an_error(why: str) -> None:
    done = run_deaf(["cache", "--json", "-"], "stdout", why)
    assert done.returncode == 2
    assert "cannot write stdout: " in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["inspect", "missing.onnx"], 2),
        (["inspect", "missing.onnx", "-v"], 2),
        (["cache", "clear"], 0),
        (["cache"], 0),
    ],
)
@pytest.mark.parametrize("why", WAYS)
def test_talk_that_is_lost_changes_no_exit_code(arguments: list[str], code: int, why: str) -> None:
    done = run_deaf(arguments, "stderr", why)
    assert done.returncode == code
    assert bool(done.stdout) is (arguments == ["cache"])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_an_interrupt_that_cannot_be_told_is_one_all_the_same() -> None:
    script = (
        "import sys, types; from onnxmem.cli import main\n"
        "def stop(name): raise KeyboardInterrupt\n"
        "sys.modules['onnxmem.cli.entry'] = entry = types.ModuleType('entry')\n"
        "entry.__getattr__ = stop\n"
        "main()"
    )
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-c", script], check=False, stderr=full)
    assert done.returncode == 130


@pytest.mark.parametrize(("variable", "coloured"), [("FORCE_COLOR", True), ("NO_COLOR", False)])
def test_colours_follow_the_environment(
    command: Command, monkeypatch: pytest.MonkeyPatch, variable: str, coloured: bool
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv(variable, "1")
    assert bool(re.search(r"\x1b\[[0-9;]*3[0-9]", command("doctor").out)) is coloured


@pytest.mark.skipif(os.name == "nt", reason="signals of Windows are others")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_while_the_command_is_imported_has_one_line(name: str) -> None:
    code = f"""
import os, signal, sys
import onnxmem.cli
class Killer:
    def find_spec(self, module, *others):
        if module == "onnxmem.cli.entry":
            os.kill(os.getpid(), signal.{name})
sys.meta_path.insert(0, Killer())
onnxmem.cli.main(["doctor"])
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 130
    assert run.stderr == "onnxmem: interrupted; no output was written\n"


def test_termination_is_answered_like_an_interrupt(
    command: Command, monkeypatch: pytest.MonkeyPatch, mlp: Sample, folder: Path
) -> None:
    def terminate(*arguments: object) -> None:
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr("onnxmem.graph.load", terminate)
    before = signal.getsignal(signal.SIGTERM)
    outcome = command("inspect", mlp.path)
    assert outcome.code == 130
    assert outcome.err.strip() == "onnxmem: interrupted; no output was written"
    assert signal.getsignal(signal.SIGTERM) == before
