"""A process that forks: what becomes of the child is what the parent tells."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

Script = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="this system cannot fork")

FORK = """
import os, signal, sys, time
from onnxmem.sandbox import Room, told
from onnxmem.sandbox.forked import fork
ended = fork(Room(writes=(os.getcwd(),), data=2**31, seconds=SECONDS))
if ended is None:
    CHILD
    sys.exit(7)
print(ended.code, ended.stopped, ended.cause, sep="|")
"""


def forked(child: str, seconds: float | None = None) -> str:
    return FORK.replace("CHILD", child).replace("SECONDS", str(seconds))


def test_the_code_of_a_child_is_that_of_the_parent(script: Script) -> None:
    done = script(forked("print('here', told()['limits'])"))
    assert done.stdout.splitlines() == ["here ['core', 'data']", "7|False|"]


@pytest.mark.parametrize(
    ("child", "words"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
        ("os.write(2, b'terminate: bad_alloc'); os.abort()", "out of memory"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "most likely because the system ran out"),
        ("os.kill(os.getpid(), signal.SIGXCPU)", "more processor time than --timeout allows"),
        ("time.sleep(600)", "took longer than --timeout 1 s"),
    ],
)
def test_death_has_words_and_leaves_nothing(
    script: Script, tmp_path: Path, child: str, words: str
) -> None:
    making = (
        "from onnxmem.cache.scratch import scratch_folder, unfinished_name; "
        "open(unfinished_name() + '.tmp', 'w').close(); os.mkdir(unfinished_name()); "
        "one = scratch_folder(); open(one.__enter__() / 'large', 'w').close(); "
    )
    done = script(forked(making + child, 1 if "sleep" in child else None))
    assert words in done.stdout and done.stdout.count("\n") == 1
    assert done.stderr == "" and done.returncode == 0
    assert not list((tmp_path / "here").iterdir()) and not list((tmp_path / "tmp").iterdir())


def test_what_others_began_beside_an_output_stays(script: Script, tmp_path: Path) -> None:
    (tmp_path / "here" / ".onnxmem-1-00.tmp").touch()
    script(forked("os.abort()"))
    assert [one.name for one in (tmp_path / "here").iterdir()] == [".onnxmem-1-00.tmp"]


def test_what_a_child_started_ends_with_it(script: Script, tmp_path: Path) -> None:
    child = "os.fork() and os._exit(0); open('pid', 'w').write(str(os.getpid())); time.sleep(600)"
    waiting = "\n    while os.fork() and not (os.path.exists('pid') and open('pid').read()): "
    done = script(forked("pid = os.fork()\n    if pid == 0:\n        " + child.split("; ", 1)[1]
                         + "\n    while not os.path.exists('pid'): time.sleep(.01)"))  # fmt: skip
    assert waiting and done.stdout == "7|False|\n", done.stderr
    grandchild = int((tmp_path / "here" / "pid").read_text())
    assert not psutil.pid_exists(grandchild) or _is_gone(grandchild)


def _is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_libraries_are_heard_where_that_is_asked_for_alone(script: Script) -> None:
    code = forked("os.write(2, b'of a library'); print('ours', file=sys.stderr)")
    assert script(code).stderr == "ours\n"
    loud = code.replace("seconds=None)", "seconds=None), verbose=True")
    assert script(loud).stderr == "of a libraryours\n"


def started(tmp_path: Path, child: str) -> tuple[subprocess.Popen[str], psutil.Process]:
    """Start a script and return it and its child, which has come so far as to say who it is."""
    said = "open('pid.new', 'w').write(str(os.getpid())); os.rename('pid.new', 'pid'); "
    process = subprocess.Popen(
        [sys.executable, "-c", forked(said + child)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    while not (tmp_path / "pid").exists():
        assert process.poll() is None
        time.sleep(0.02)
    return process, psutil.Process(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_are_passed_on(tmp_path: Path, number: int) -> None:
    child = f"signal.signal({number}, lambda *_: sys.exit(130)); time.sleep(600)"
    process, _ = started(tmp_path, child.replace("time.sleep", "open('set', 'w'); time.sleep"))
    while not (tmp_path / "set").exists():
        time.sleep(0.02)
    process.send_signal(number)
    assert process.communicate(timeout=60)[0] == "130|True|\n"


def test_the_second_signal_ends_a_child_that_does_not_listen(tmp_path: Path) -> None:
    child = "signal.signal(signal.SIGINT, lambda *_: open('heard', 'w').close())"
    process, _ = started(
        tmp_path, child + "\n    open('set', 'w')\n    while True: time.sleep(600)"
    )
    while not (tmp_path / "set").exists():
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    while not (tmp_path / "heard").exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[0].startswith("-9|True|")


def test_a_child_ends_with_its_parent(tmp_path: Path) -> None:
    process, child = started(tmp_path, "time.sleep(600)")
    process.kill()
    process.communicate()
    child.wait(60)
