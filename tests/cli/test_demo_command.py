"""`onnxmem demo`, on quicker networks than those it shows."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onnxmem import models

Command = Callable[..., Any]


@pytest.fixture(autouse=True)
def quicker_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("onnxmem.cli.demo_command")
    assert all(models.network(name).path.is_file() for name in module.NETWORKS)
    monkeypatch.setattr(module, "NETWORKS", ("vowels-mlp-p00", "vowels-mlp-p100"))


def test_page_shows_both_networks(command: Command, folder: Path) -> None:
    outcome = command("demo")
    assert outcome.code == 0
    assert outcome.new_files == ("onnxmem-demo.html",)
    page = (folder / "onnxmem-demo.html").read_text("utf-8")
    assert "vowels-mlp-p00" in page and "vowels-mlp-p100" in page
    assert outcome.err.splitlines() == ["The page with all curves: onnxmem-demo.html"]
    assert "relu1" in outcome.out


def test_place_of_the_page_is_told_in_harmless_words(command: Command) -> None:
    outcome = command("demo", "--html", "\x1b[31mred.html")
    assert outcome.err.splitlines() == ["The page with all curves: \\x1b[31mred.html"]


def test_page_on_stdout_is_alone_there(command: Command) -> None:
    outcome = command("demo", "--html", "-", "-q")
    assert outcome.code == 0
    assert outcome.out.lstrip().lower().startswith("<!doctype html>")
    assert not outcome.err


def test_place_that_cannot_be_written(command: Command) -> None:
    outcome = command("demo", "--html", "missing/page.html")
    assert outcome.code == 2
    assert "missing/page.html" in outcome.error
