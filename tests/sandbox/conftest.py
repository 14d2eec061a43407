"""Scripts in processes of their own: what is confined cannot be freed again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Script = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Return the function that runs a script in an empty folder, with a folder for scratch."""
    place = tmp_path / "here"
    place.mkdir()
    scratch = tmp_path / "tmp"
    scratch.mkdir()

    def run(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            check=False,
            capture_output=True,
            cwd=place,
            env={**os.environ, "TMPDIR": str(scratch)},
            text=True,
            timeout=300,
        )

    return run
