"""A few hundred odd inputs, the same in every run, end as the contract says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(sys.platform != "linux", reason="needs fork and limits of processes")
def test_odd_inputs_end_with_one_line_and_a_code(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    pytest.importorskip("PIL")
    command = [sys.executable, "-m", "tests.fuzz", "--count", "300", "--seconds", "40"]
    run = subprocess.run(
        [*command, "--scratch", tmp_path], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stdout + run.stderr
