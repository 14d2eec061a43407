"""Runs a case in a process of its own, and says what is wrong with how it ended."""

from __future__ import annotations

import os
import re
import resource
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from .cases import Case

SECONDS = 30
"""Of the processor, so that a busy machine is no fault; `WAITING` by the clock, for what hangs."""
WAITING = 300.0
MEMORY = 3 << 30
_OF_OTHERS = re.compile(
    r"Warning:|Traceback|^\w*Error:|\[[EWF]:onnx|terminate called|^TIFF|libtiff|^Exception ignored",
    re.MULTILINE,
)
"""Lines of libraries, and of Python itself."""

CODES = frozenset({0, 1, 2, 3, 4, 130})


@dataclass(frozen=True)
class Outcome:
    """How a case ended: its code (below 0: the signal), seconds, bytes, stderr, and new files."""

    code: int
    seconds: float
    memory: int
    err: str
    new: frozenset[str]


def run(case: Case, folder: Path) -> Outcome:
    """Run a case in a child of this process, which has imported everything."""
    (folder / "tmp").mkdir()
    before = _entries(folder)
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        _become(case, folder)
    code = _wait(child, began)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    err = (folder.parent / f"{folder.name}.err").read_text("utf-8", "backslashreplace")
    return Outcome(code, time.monotonic() - began, usage, err, _entries(folder) - before)


def _become(case: Case, folder: Path) -> None:
    """Be the command; never return."""
    code = 99
    try:
        from onnxmem.cli import main

        os.chdir(folder)
        os.environ |= {
            "TMPDIR": str(folder / "tmp"),
            "ONNXMEM_CACHE_DIR": str(folder.parent / "cache"),
        }
        for number, name in ((1, "out"), (2, "err")):
            path = folder.parent / f"{folder.name}.{name}"
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        spent = int(sum(os.times()[:2]))
        resource.setrlimit(resource.RLIMIT_CPU, (spent + SECONDS, spent + SECONDS + 1))
        main(case.arguments)
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 98
    except BaseException as error:  # noqa: BLE001 - nothing may get back to the parent
        os.write(2, f"Traceback: {error!r}\n".encode())
    finally:
        sys.stdout.flush()
        os._exit(code)


def _wait(child: int, began: float) -> int:
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() - began > WAITING:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return -int(signal.SIGXCPU)
        time.sleep(0.003)


def _entries(folder: Path) -> frozenset[str]:
    return frozenset(str(path.relative_to(folder)) for path in folder.rglob("*"))


def faults(case: Case, outcome: Outcome) -> list[str]:
    """Return what is wrong, in a few words each; nothing where all is well."""
    lines = outcome.err.splitlines()
    found = []
    if outcome.code in (-int(signal.SIGXCPU), -int(signal.SIGKILL)):
        found.append("too slow")
    elif outcome.code not in CODES:
        found.append(f"exit {outcome.code}")
    if "internal error" in outcome.err:
        found.append("internal error")
    if outcome.code in (2, 4) and (len(lines) != 1 or not lines[0].startswith("onnxmem: error: ")):
        found.append(f"{len(lines)} lines of error")
    if _OF_OTHERS.search(outcome.err):
        found.append("lines of others on stderr")
    allowed = case.outputs if outcome.code in (0, 1, 3) else frozenset()
    if unasked := {name for name in outcome.new if name.split("/")[0] not in allowed}:
        found.append(f"left {sorted(unasked)[:3]}")
    if outcome.code == 0 and case.arguments[0] in ("expose", "split", "report"):
        found += [f"no {name}" for name in case.outputs - outcome.new if "data" not in name]
    return found
