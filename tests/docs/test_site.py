"""The site of docs/ builds, with no link that leads nowhere, and the docstrings are in it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import onnxmem

pytest.importorskip("mkdocstrings")

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(folder)]
    environment = os.environ | {"PYTHONWARNINGS": "ignore", "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return folder


def test_there_is_a_page_for_each(site: Path) -> None:
    pages = {page.stem for page in (ROOT / "docs").glob("*.md")} - {"README"}
    assert pages <= {page.stem for page in site.glob("*.html")}
    assert (site / "index.html").exists() and (site / "repository/CONTRIBUTING.html").exists()


def test_the_interface_is_made_from_the_docstrings(site: Path) -> None:
    text = re.sub(r"<[^>]+>", "", (site / "api.html").read_text("utf-8"))
    for function in (onnxmem.audit, onnxmem.samples, onnxmem.compare, onnxmem.inspect):
        assert (function.__doc__ or "").split("\n")[0].replace("`", "") in text


def test_every_page_is_in_the_menu() -> None:
    menu = str(yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"])
    pages = [page.name for page in sorted((ROOT / "docs").glob("*.md"))]
    assert [name for name in pages if f"'{name}'" not in menu] == []
