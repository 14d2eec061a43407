"""What is built and installed is what lies in the tree."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

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


def test_all_that_the_tests_need_is_pinned_to_a_release() -> None:
    lines = (PROJECT.parent / "tests" / "constraints.txt").read_text("utf-8").splitlines()
    pins = [Requirement(line) for line in lines if not line.startswith("#")]
    pinned = {canonicalize_name(pin.name): pin for pin in pins}
    project = tomllib.loads(PROJECT.read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    needed = [*project["dependencies"]]
    needed += [
        one for name in ("arrow", "cpu", "fast", "images", "browser", "dev") for one in extras[name]
    ]
    for one in map(Requirement, needed):
        if one.name != project["name"]:
            (pin,) = pinned[canonicalize_name(one.name)].specifier
            assert pin.operator == "==" and pin.version in one.specifier, one
    assert all(
        re.fullmatch(r"==[0-9.]+(\.?(post|rc|a|b)[0-9]+)?", str(pin.specifier)) for pin in pins
    )
