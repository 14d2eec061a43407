"""The notebook of docs/ runs from its first cell to its last, and shows what it promises."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebook.ipynb"
RUN = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
nbformat.write(notebook, sys.argv[2])
"""


def test_every_cell_runs(tmp_path: Path) -> None:
    done = tmp_path / "done.ipynb"
    environment = os.environ | {
        "JUPYTER_PLATFORM_DIRS": "1",
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "IPYTHONDIR": str(tmp_path / "ipython"),
    }
    command = [sys.executable, "-c", RUN, str(NOTEBOOK), str(done)]
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    shown = outputs(json.loads(done.read_text("utf-8")))
    assert "label noise found" in shown["stdout"]
    assert "onnxmem-report" in shown["text/html"]
    assert "onnxmem-samples" in shown["text/html"]
    assert "onnxmem-sites" in shown["text/html"]
    assert shown["charts"] == 3


def outputs(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return what the cells printed, the HTML that they show, and how many charts there are."""
    found = [one for cell in notebook["cells"] for one in cell.get("outputs", [])]
    data = [one["data"] for one in found if "data" in one]
    html = ["".join(one["text/html"]) for one in data if "text/html" in one]
    return {
        "stdout": "".join("".join(one["text"]) for one in found if one.get("name") == "stdout"),
        "text/html": "".join(html),
        "charts": sum(any("vega" in f"{kind}{one[kind]}"[:3000] for kind in one) for one in data),
    }


def test_it_is_stored_without_outputs() -> None:
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    assert all(not cell.get("outputs") for cell in cells)
