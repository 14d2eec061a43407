"""Three walls: who imports which library, and what importing the package does not import."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import onnxmem.cli
import pytest

import onnxmem

ROOT = Path(onnxmem.__file__).parent
CLI = Path(onnxmem.cli.__file__).parent
SOURCES = [*sorted(ROOT.rglob("*.py")), *sorted(CLI.glob("*.py"))]
OWNERS = {
    "onnxruntime": {"runtime"},
    "cupy": {"arrays.py"},
    "onnx": {"graph"},
    "onnx_ir": {"graph"},
    "torch": set(),
}


def imported(path: Path) -> set[str]:
    """Return the top-level names of all absolute imports anywhere in a file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names


def room(path: Path) -> str:
    """Return the file, or the package, directly below `onnxmem`."""
    return path.relative_to(ROOT).parts[0] if path.is_relative_to(ROOT) else "cli"


@pytest.mark.parametrize("library", OWNERS)
def test_only_its_owner_imports_a_library(library: str) -> None:
    assert {room(path) for path in SOURCES if library in imported(path)} == OWNERS[library]


GROUND = {
    *("_version", "arrays", "errors", "file_kinds", "hazards", "links", "records", "sizes", "text"),
}
BELOW_CURVES = {
    *("network", "graph", "data", "cache", "factorize", "neighbours", "runtime"),
    *GROUND,
}
BELOW_SEVERAL = {
    *("auditing", "compression", "evidence", "gradients", "locating", "pairing", "sandbox"),
    *BELOW_CURVES,
}

LOWER = {
    "errors.py": set(),
    "hazards.py": set(),
    "links.py": set(),
    "file_kinds.py": set(),
    "text.py": set(),
    "arrays.py": {"errors"},
    "sizes.py": {"errors"},
    "graph": {"graph", *GROUND},
    "data": {"data", *GROUND},
    "cache": {"cache", *GROUND},
    "factorize": {"factorize", *GROUND},
    "neighbours": {"neighbours", *GROUND},
    "runtime": {"runtime", *GROUND},
    "gradients": {"gradients", "graph", "runtime", *GROUND},
    "records": {"records", "errors", "text"},
    "network": BELOW_CURVES,
    "compression": {"compression", *BELOW_CURVES},
    "evidence": {"evidence", *BELOW_CURVES},
    "pairing": {"pairing", "compression", *GROUND},
    "locating": {"locating", "gradients", *BELOW_CURVES},
    "auditing": BELOW_SEVERAL,
    "inspecting": {"inspecting", *BELOW_SEVERAL},
    "comparing": {"comparing", *BELOW_SEVERAL},
    "tracking": {"tracking", *BELOW_SEVERAL},
    "figures": {"figures", "findings", "models", "report", "tracking", *BELOW_SEVERAL},
    "findings": {"findings", *GROUND},
    "report": {"report", "findings", "cache", *GROUND},
    "executors": {"executors", "errors", "text"},
    "spreading": {"spreading", "executors", *BELOW_SEVERAL},
    "surveying": {"surveying", "executors", "report", "graph", "cache", "sandbox", *GROUND},
    "sandbox": {"sandbox", "cache", *GROUND},
    "doctor.py": {"sandbox", *BELOW_CURVES},
    "api": {
        *("api", "comparing", "executors", "findings", "inspecting", "report", "spreading"),
        *("surveying", "tracking"),
        *BELOW_SEVERAL,
    },
}
"""What each room may import: itself, and rooms on lower floors."""


def rooms_used(path: Path) -> set[str]:
    """Return the rooms of this package that a file imports from."""
    tree = ast.walk(ast.parse(path.read_text("utf-8")))
    found = [node for node in tree if isinstance(node, ast.ImportFrom) and node.level == 0]
    modules = [node.module or "" for node in found]
    modules += [f"onnxmem.{n.name}" for one in found if one.module == "onnxmem" for n in one.names]
    parts = [module.split(".") for module in modules if module.startswith("onnxmem.")]
    return {part[1] for part in parts}


@pytest.mark.parametrize("below", LOWER)
def test_lower_rooms_know_nothing_of_higher_ones(below: str) -> None:
    files = [path for path in SOURCES if room(path) == below]
    assert files
    assert set().union(*map(rooms_used, files)) <= LOWER[below]


def modules_after(statement: str) -> set[str]:
    code = f"{statement}; import sys; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    return {name.partition(".")[0] for name in result.stdout.split()}


@pytest.mark.parametrize("module", ["onnxmem", "onnxmem.cli", "onnxmem.data"])
def test_importing_is_light(module: str) -> None:
    heavy = {
        "PIL",
        "pyarrow",
        "onnxruntime",
        "cupy",
        "altair",
        "vl_convert",
        "torch",
        "scipy",
        "sklearn",
        "jinja2",
    }
    assert not heavy & modules_after(f"import {module}")


def test_few_modules_stand_at_the_root() -> None:
    assert len(list(ROOT.glob("*.py"))) <= 11


def test_every_room_has_its_floor() -> None:
    outermost = {"__init__.py", "__main__.py", "_version.py", "cli"}
    assert {room(path) for path in SOURCES} == {*LOWER, *outermost}
