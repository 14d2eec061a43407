"""`onnxmem survey` on the command line: options, manifests, exit codes, interrupts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from onnxmem.cli.entry import cli

from onnxmem.surveying import running
from onnxmem.surveying.options import FLAGS, OPTIONS, REPEATABLE

Command = Callable[..., Any]

TOLD = (
    "import json, sys; room = json.load(open(sys.argv[-1]));"
    "orders = json.loads(room['arguments'][0]); "
)
SAYS = TOLD + "sys.exit(' '.join(a for a in orders['arguments'] if '/' not in a))"
"""Stands for an audit: says what it was asked, and fails."""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and limits of POSIX")


@pytest.fixture
def told(
    command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[str]]:
    """Give the function that runs a survey and returns what each of its audits was asked."""
    monkeypatch.setattr(running, "CHILD", ("-c", SAYS))

    def run(*arguments: str) -> list[str]:
        assert command("survey", *arguments, "-q").code == 4
        rows = json.loads((folder / "survey" / "survey.json").read_text())["models"]
        return [row["reason"] for row in rows]

    return run


def test_what_the_command_line_says_holds_for_all(
    told: Callable[..., list[str]], folder: Path
) -> None:
    (folder / "m.csv").write_text("path,data,per_class,seed\na.onnx,d.npz,5,\nb.onnx,e.npz,6,7\n")
    assert told("m.csv", "--per-class", "9", "--no-samples", "--fail-under", "nmf.mixed=0.5") == [
        "audit --data=d.npz --fail-under=nmf.mixed=0.5 --no-samples --per-class=9 -q -- a.onnx",
        "audit --data=e.npz --fail-under=nmf.mixed=0.5 --no-samples --per-class=9 --seed=7 -q"
        " -- b.onnx",
    ]  # fmt: skip


def test_data_of_a_configuration_are_for_those_without(
    told: Callable[..., list[str]], folder: Path
) -> None:
    (folder / "onnxmem.toml").write_text('data = "all.npz"\nper-class = 4\njunit = "j.xml"\n')
    (folder / "m.toml").write_text(
        '[[model]]\npath = "a.onnx"\n[[model]]\npath = "b.onnx"\ndata = "own.npz"\n'
    )
    first, second = told("m.toml")
    assert "--data=all.npz" in first and "--data=own.npz" in second
    assert "per-class" not in first, "the child reads the file itself"
    assert not (folder / "j.xml").exists()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["gone.toml"], "cannot read the manifest gone.toml"),
        (["*.onnx"], "there is no model"),
        (["a.onnx"], "a.onnx has no data; give --data"),
        (["a.onnx", "--data", "d.npz", "--shard", "1"], "write it as I/N"),
        (["a.onnx", "--data", "d.npz", "--shard", "3/2"], "--shard 3/2"),
        (["a.onnx", "--data", "d.npz", "--workers", "0"], "--workers 0"),
        (["a.onnx", "--data", "d.npz", "--ranks", "few"], "few"),
        (["a.onnx", "--data", "d.npz", "--memory", "much"], "--memory 'much'"),
        (["a.onnx", "--data", "d.npz", "--scheduler", "x:1", "--workers", "2"], "exclude"),
    ],
)
def test_wrong_usage_is_said_before_anything_runs(
    command: Command, folder: Path, arguments: list[str], complaint: str
) -> None:
    outcome = command("survey", *arguments)
    assert outcome.code == 2 and complaint in outcome.err
    assert len(outcome.err.splitlines()) == 1 and not outcome.out


def test_options_of_a_manifest_are_those_of_audit() -> None:
    context = cli.make_context("onnxmem", ["audit"], resilient_parsing=True)
    audit = cli.get_command(context, "audit")
    assert audit is not None
    options = {option.opts[0].lstrip("-").replace("-", "_"): option for option in audit.params}
    outputs = {"json", "html", "markdown", "junit", "sarif", "attest", "bom", "samples", "plan"}
    talk = {"q", "v", "quiet", "verbose", "model", "workers", "scheduler", "trust_links"}
    assert set(OPTIONS) == set(options) - outputs - talk
    assert {key for key in OPTIONS if options[key].multiple} == set(REPEATABLE)  # type: ignore[attr-defined]
    assert {key for key in OPTIONS if options[key].is_flag} == set(FLAGS)  # type: ignore[attr-defined]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_and_leaves_nothing_half_written(folder: Path, how: int) -> None:
    code = (
        "from onnxmem.surveying import running; from onnxmem.cli import main;"
        'running.CHILD = (\'-c\', \'import time, os; open("pid", "w").write(str(os.getpid()));'
        " time.sleep(600)'); main()"
    )
    words = ["survey", "a.onnx", "b.onnx", "--data", "d.npz"]
    survey = subprocess.Popen(
        [sys.executable, "-c", code, *words], cwd=folder, stderr=subprocess.PIPE, text=True
    )
    while not ((folder / "pid").exists() and (folder / "pid").read_text()):
        assert survey.poll() is None
        time.sleep(0.05)
    survey.send_signal(how)
    _, said = survey.communicate(timeout=120)
    assert survey.returncode == 130
    assert said.splitlines()[-1] == "onnxmem: interrupted; the same command goes on where it was"
    assert sorted(p.name for p in (folder / "survey").rglob("*") if p.is_file()) == [
        "index.html", "survey.json",
    ]  # fmt: skip
    with pytest.raises(ProcessLookupError):
        os.kill(int((folder / "pid").read_text()), 0)


def test_a_cluster_without_dask_or_without_a_scheduler_is_one_line(
    command: Command, folder: Path
) -> None:
    outcome = command("survey", "a.onnx", "--data", "d.npz", "--scheduler", "nonsense://x")
    assert outcome.code == 4
    assert "--scheduler" in outcome.err or "no scheduler answers" in outcome.err


@pytest.mark.parametrize(
    ("line", "words", "seconds", "confined"),
    [
        ("", (), None, True),
        ("timeout = 5\nsandbox = false", (), 5.0, False),
        ("", ("--timeout", "7", "--no-sandbox"), 7.0, False),
    ],
)
def test_the_room_of_a_model_is_the_parent_s(
    told: Callable[..., list[str]],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    line: str,
    words: tuple[str, ...],
    seconds: float | None,
    confined: bool,
) -> None:
    says = "import json, sys; sys.exit(json.dumps(json.load(open(sys.argv[-1]))['room']))"
    monkeypatch.setattr(running, "CHILD", ("-c", says))
    (folder / "m.toml").write_text(f'[[model]]\npath = "a.onnx"\ndata = "d.npz"\n{line}\n')
    (said,) = told("m.toml", *words)
    assert f'"seconds": {"null" if seconds is None else seconds}' in said
    assert f'"confined": {"true" if confined else "false"}' in said


@pytest.mark.parametrize("words", [(), ("--no-sandbox",)])
def test_an_audit_without_a_sandbox_makes_none_of_its_own(
    told: Callable[..., list[str]],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
) -> None:
    says = "import json, sys; sys.exit(json.load(open(sys.argv[-1]))['arguments'][0])"
    monkeypatch.setattr(running, "CHILD", ("-c", says))
    (folder / "m.toml").write_text('[[model]]\npath = "a.onnx"\ndata = "d.npz"\n')
    (said,) = told("m.toml", *words)
    assert ("--no-sandbox" in said) == bool(words)


@pytest.mark.parametrize("line", ["timeout = 0", 'timeout = "soon"', 'sandbox = "perhaps"'])
def test_a_room_that_makes_no_sense_is_refused(command: Command, folder: Path, line: str) -> None:
    (folder / "m.toml").write_text(f'[[model]]\npath = "a.onnx"\ndata = "d.npz"\n{line}\n')
    outcome = command("survey", "m.toml")
    assert outcome.code == 2 and f"--{line.split()[0]}" in outcome.err
