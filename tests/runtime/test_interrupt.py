"""A signal ends a run that would go on for ever, and the next run goes on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import onnx
import pytest

from onnxmem.runtime import interrupt

ENDLESS = """<ir_version: 8, opset_import: ["": 17]>
network (float[N] x) => (float[N] y)
<int64 most = {4611686018427387904}, bool go = {1}> {
    y = Loop(most, go, x) <body = b (int64 i, bool c, float[N] s) => (bool d, float[N] t) {
        d = Identity(c)
        t = Relu(s)
    }>
}"""

CODE = """
import os, signal, sys, threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import numpy as np
from onnxmem.runtime import Session, interrupt, select_device
from tests_part import Part

signal.signal(signal.SIGTERM, lambda number, frame: signal.default_int_handler(number, frame))
part, feeds = Part(Path(sys.argv[1]).read_bytes()), {"x": np.ones(3, np.float32)}
session = Session(part, select_device("cpu"))
runs = int(sys.argv[3])

def signal_once_all_run():
    while len(interrupt._running) < runs:
        pass
    os.kill(os.getpid(), getattr(signal, sys.argv[2]))

for _ in range(2):
    threading.Thread(target=signal_once_all_run, daemon=True).start()
    try:
        if runs == 1:
            session.run(feeds)
        with ThreadPoolExecutor(runs) as pool:
            list(pool.map(lambda _: session.run(feeds), range(2 * runs)))
    except KeyboardInterrupt:
        print("interrupted")
    session = Session(part, select_device("cpu"))
"""

PART = """
from dataclasses import dataclass
@dataclass
class Part:
    proto: bytes
    weights: None = None
    source: str = "network"
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Windows are others")
@pytest.mark.parametrize(("name", "runs"), [("SIGINT", 1), ("SIGTERM", 1), ("SIGINT", 2)])
def test_a_signal_ends_endless_runs(tmp_path: Path, name: str, runs: int) -> None:
    onnx.save(onnx.parser.parse_model(ENDLESS), tmp_path / "network.onnx")
    (tmp_path / "tests_part.py").write_text(PART)
    (tmp_path / "code.py").write_text(CODE)
    command = [sys.executable, str(tmp_path / "code.py"), str(tmp_path / "network.onnx"), name]
    run = subprocess.run([*command, str(runs)], capture_output=True, text=True, timeout=100)
    assert run.stdout.split() == ["interrupted"] * 2, run.stderr


def test_nothing_listens_where_somebody_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def taken(descriptor: int, *, warn_on_full_buffer: bool = True) -> int:
        asked.append(descriptor)
        return 99

    monkeypatch.setattr(interrupt.signal, "set_wakeup_fd", taken)
    threads: list[object] = []
    monkeypatch.setattr(interrupt.threading, "Thread", lambda **kwargs: threads.append(kwargs))
    interrupt._start.__wrapped__()
    assert asked[-1] == 99 and not threads
