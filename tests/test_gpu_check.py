"""`benchmarks/gpu_check.sh` says what it found: without a GPU, and where steps fail or hang."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "gpu_check.sh"
pytestmark = pytest.mark.skipif(
    not SCRIPT.exists() or shutil.which("sh") is None or os.name == "nt", reason="needs a checkout"
)

REPORT = {
    "environment": {"device": "cuda:0"},
    "layers": [{"tensor": "relu", "curves": [{"compressor": "nmf", "batch": "mixed", "auc": 0.5}]}],
    "network": {"memorized_share": {"value": 0.25}},
}

FAKE_PYTHON = f"""#!{sys.executable}
import json, os, runpy, sys, time
line = sys.argv[1:]
if line[0].endswith("gpu_check.py"):
    sys.argv = line
    sys.executable = {{path!r}}
    sys.exit(runpy.run_path(line[0], run_name="__main__"))
plan = json.load(open(os.environ["FAKE_STEPS"]))
called = next((name for name in plan if name in " ".join(line)), None)
if called:
    if plan[called] == "hang":
        time.sleep(600)
    sys.exit(plan[called])
if "--json" in line and line[-1] != "-":
    json.dump({REPORT!r}, open(line[-1], "w"))
elif "pytest" in line:
    print("12 passed in 3.0s")
else:
    print('{{"seen": true}}')
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder of programs that stand in for those of a machine with a GPU."""
    folder = tmp_path / "bin"
    folder.mkdir()
    smi, python = folder / "nvidia-smi", folder / "python"
    smi.write_text("#!/bin/sh\necho 'A GPU, 999.1, 1000 MiB'\n")
    python.write_text(FAKE_PYTHON.replace("{path!r}", repr(str(python))))
    for file in (smi, python):
        file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHON", str(python))
    return folder


def check(folder: Path, steps: dict[str, Any], script: Path = SCRIPT) -> tuple[int, dict[str, Any]]:
    (folder / "steps.json").write_text(json.dumps(steps))
    done = subprocess.run(
        ["sh", str(script), str(folder / "found.json")],
        env=os.environ | {"FAKE_STEPS": str(folder / "steps.json")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, json.loads((folder / "found.json").read_text("utf-8"))


def test_without_a_gpu_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\necho 'no devices were found' >&2; exit 9\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHON", sys.executable)
    code, found = check(tmp_path, {})
    assert code == 2
    assert "no devices were found" in found["reason"]
    assert not found["gpus"] and not found["steps"]


def test_all_steps_run_and_both_devices_are_compared(machine: Path) -> None:
    code, found = check(machine, {})
    assert code == 0, found
    assert found["gpus"] == ["A GPU, 999.1, 1000 MiB"] and found["date"]
    assert {one["state"] for one in found["steps"].values()} == {"passed"}
    assert {"doctor", "tests", "sweep beside its floor", "audit on cuda", "samples on cpu"} <= set(
        found["steps"]
    )
    assert found["apart"] == {"auc_difference_max": 0.0, "share_difference": 0.0}


def test_a_step_that_fails_keeps_no_other_from_running(machine: Path) -> None:
    code, found = check(machine, {"gpu_floor": 3, "onnxmem audit": 4})
    assert code == 1
    states = {name: one["state"] for name, one in found["steps"].items()}
    assert states["sweep beside its floor"] == "exit code 3"
    assert states["audit on cuda"] == "exit code 4"
    assert states["samples on cuda"] == "passed"
    assert found["apart"]["auc_difference_max"] is None


def test_a_step_that_hangs_is_ended(machine: Path) -> None:
    text = SCRIPT.with_name("gpu_check.py").read_text("utf-8")
    shorter = text.replace('"benchmarks/gpu_floor.py"], 90', '"benchmarks/gpu_floor.py"], 1')
    (machine / "gpu_check.py").write_text(shorter)
    shutil.copy(SCRIPT, machine / "gpu_check.sh")
    code, found = check(machine, {"gpu_floor": "hang"}, machine / "gpu_check.sh")
    assert code == 1
    assert found["steps"]["sweep beside its floor"]["state"] == "took longer than 1 s"
    assert found["steps"]["samples on cpu"]["state"] == "passed"
