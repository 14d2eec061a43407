"""What is built and installed is what lies in the tree."""

from __future__ import annotations

import tomllib
from pathlib import Path

PROJECT = Path(__file__).parent.parent / "pyproject.toml"


def test_every_package_is_installed() -> None:
    listed = tomllib.loads(PROJECT.read_text("utf-8"))["tool"]["setuptools"]
    places = {name: PROJECT.parent / place for name, place in listed["package-dir"].items()}
    found = {
        ".".join((name, *init.parent.relative_to(place).parts))
        for name, place in places.items()
        for init in place.rglob("__init__.py")
    }
    assert set(listed["packages"]) == found
