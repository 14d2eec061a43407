"""Limits of the system on memory and processor time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from onnxmem.sandbox import limits
from onnxmem.sandbox.limits import data_limit, set_limits

Script = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="limits of POSIX")
START = "from onnxmem.sandbox.limits import set_limits; import resource, sys; "


def test_activations_count_twice_and_there_is_room_for_libraries() -> None:
    assert data_limit(2**30) - data_limit(0) == 2**31
    assert data_limit(0) >= 2**31
    assert data_limit(0, files=10**6) - data_limit(0) == 6 * 10**6


def test_without_a_budget_workers_share_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onnxmem.arrays.free_memory", lambda on_device: 10**12)
    assert (data_limit(None), data_limit(None, 4)) == (10**12, 10**12 // 4)
    monkeypatch.setattr("onnxmem.arrays.free_memory", lambda on_device: 1)
    assert data_limit(None) == data_limit(0)


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA counts mappings on Linux alone")
def test_memory_beyond_the_limit_is_not_given(script: Script) -> None:
    done = script(START + "set_limits(2**29, None); x = bytearray(2**30)")
    assert done.returncode == 1 and "MemoryError" in done.stderr


def test_processor_time_beyond_the_limit_ends_a_process(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import onnxmem.sandbox.limits as m, os; m._GRACE = 0; os.cpu_count = lambda: 1; "
    done = script(code + "m.set_limits(2**34, 1)\nwhile True: pass")
    assert done.returncode == -signal.SIGXCPU


def test_a_lower_limit_stays(script: Script) -> None:
    code = "resource.setrlimit(resource.RLIMIT_DATA, (2**30, -1)); print(set_limits(2**34, 9)); "
    done = script(START + code + "print(resource.getrlimit(resource.RLIMIT_DATA)[0])")
    assert done.stdout.splitlines() == ["('core', 'data', 'cpu')", str(2**30)]


def test_a_system_without_limits_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "resource", None)
    assert set_limits(2**30, 1) == ()
