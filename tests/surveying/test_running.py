"""One child: its limits, its end, and what is told of it. Small scripts stand for audits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from onnxmem.surveying import running
from onnxmem.surveying.kept import prepare, recall
from onnxmem.surveying.running import run_task
from onnxmem.surveying.tasks import Outcome, Task

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and limits of POSIX")

LIMITED = "from onnxmem.sandbox.limits import set_limits; set_limits({memory}, None); "


def task(folder: Path, timeout: float | None = None) -> Task:
    prepare(folder / "out", [])
    (folder / "alive").touch()
    return Task(
        name="m",
        path="m.onnx",
        data="d.npz",
        arguments=("--data=d.npz",),
        folder=str(folder),
        out=str(folder / "out"),
        lease=str(folder / "alive"),
        files=(),
        digest="0",
        memory=2**30,
        timeout=timeout,
    )


def run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, code: str, timeout: float | None = None
) -> Outcome:
    """Run a script in the place of an audit."""
    monkeypatch.setattr(running, "CHILD", ("-c", code))
    return run_task(task(folder, timeout))


def test_the_last_line_of_a_child_is_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import sys; print('onnxmem: error: no \\x1b[2J such', file=sys.stderr); sys.exit(2)"
    found = run(tmp_path, monkeypatch, code).kept
    assert (found.model.exit_code, found.model.state) == (2, "failed")
    assert found.model.reason == "no \\x1b[2J such"
    assert recall(tmp_path / "out", "m") == found


def test_a_child_that_takes_too_long_is_ended_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "import subprocess, sys, time, pathlib;"
        "one = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
        "pathlib.Path('started').write_text(str(one.pid)); time.sleep(600)"
    )
    outcome = run(tmp_path, monkeypatch, code, timeout=3)
    assert outcome.end == "itself" and outcome.kept.model.exit_code == 4
    assert "took longer than --timeout 3 s" in outcome.kept.model.reason
    pid = int((tmp_path / "started").read_text())
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_child_that_dies_leaves_no_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = run(tmp_path, monkeypatch, "import os; os.kill(os.getpid(), 11)")
    assert outcome.end == "died" and "SIGSEGV" in outcome.kept.model.reason
    assert recall(tmp_path / "out", "m") is None


def test_a_child_ends_with_the_survey(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import os, time; os.unlink('alive'); time.sleep(600)"
    assert run(tmp_path, monkeypatch, code).end == "stopped"
    assert recall(tmp_path / "out", "m") is None


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA counts mappings on Linux alone")
def test_memory_beyond_the_limit_is_not_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = LIMITED.format(memory=2**30) + "x = bytearray(6 * 2**30)"
    found = run(tmp_path, monkeypatch, code).kept.model
    assert (found.exit_code, found.reason) == (4, "MemoryError")


def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, threading, time;"
        "from onnxmem.sandbox.lifeline import end_with_parent; end_with_parent(0);"
        "pathlib.Path('pid').write_text(str(os.getpid())); time.sleep(600)"
    )
    parent = (
        "import subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, '-c', {code!r}], stdin=subprocess.PIPE,"
        " start_new_session=True)\n"
        "time.sleep(600)\n"
    )
    own = subprocess.Popen([sys.executable, "-c", parent], cwd=tmp_path)
    try:
        written = tmp_path / "pid"
        while not (written.exists() and written.read_text()):
            assert own.poll() is None
            time.sleep(0.05)
        child = psutil.Process(int(written.read_text()))
    finally:
        own.send_signal(signal.SIGKILL)
        own.wait()
    child.wait(60)
