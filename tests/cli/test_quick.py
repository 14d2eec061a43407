"""Help, completion, `cache` and `report` wait for no library that they do not use.

What a process has imported is looked at, and no clock: it is the same on every machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import report_samples
from onnxmem.cli.entry import COMMANDS

from onnxmem import report as formats
from onnxmem.comparing import compare

MODELS = {"onnx", "onnx_ir", "onnxruntime", "sympy"}
ARRAYS = {"PIL", "cupy", "numba", "numpy", "psutil", "pyarrow", "scipy", "sklearn", "torch"}
CHARTS = {"altair", "jinja2", "vl_convert"}
HEAVY = MODELS | ARRAYS | CHARTS
SHOWING = {"msgspec", "rich"}
"""What reads and shows results, and is not needed to tell how a command is called."""

DRIVER = """
import sys
from onnxmem.cli import main
try:
    main()
finally:
    print(*sys.modules, file=open("imported.txt", "w"))
"""


@dataclass(frozen=True)
class Process:
    """A process that has ended: its exit code, its output, and the libraries it imported."""

    code: int
    out: str
    libraries: frozenset[str]


def onnxmem(folder: Path, *arguments: str, **environment: str) -> Process:
    """Run the command line in a process of its own."""
    ended = subprocess.run(
        [sys.executable, "-c", DRIVER, *arguments],
        check=False,
        cwd=folder,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    modules = (folder / "imported.txt").read_text().split()
    return Process(ended.returncode, ended.stdout, frozenset(m.partition(".")[0] for m in modules))


def completed(folder: Path, line: str) -> Process:
    """Ask what Bash asks when TAB is pressed at the end of a line."""
    return onnxmem(
        folder,
        _ONNXMEM_COMPLETE="bash_complete",
        COMP_WORDS=line,
        COMP_CWORD=str(line.count(" ")),
    )


@pytest.fixture(params=["report", "comparison"])
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the name of a stored report, and of a stored comparison."""
    report = report_samples.failing()
    if request.param == "report":
        text = formats.render(report, "json")
    else:
        other = replace(report, model=replace(report.model, path="other.onnx"))
        text = formats.render_comparison(compare([report, other]), "json")
    formats.write(text, tmp_path / "stored.json")
    return "stored.json"


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)], ids=" ".join
)
def test_help(tmp_path: Path, arguments: list[str]) -> None:
    process = onnxmem(tmp_path, *arguments)
    assert process.code == 0 and process.out
    assert not process.libraries & (HEAVY | SHOWING)


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("onnxmem a", "audit"),
        *((f"onnxmem {name} --", "--help") for name in COMMANDS),
        ("onnxmem audit --fail", "--fail-under"),
        ("onnxmem audit --metric f", "fidelity"),
        ("onnxmem cache c", "clear"),
        ("onnxmem audit model", "file"),
        ("onnxmem report stored.json --html p", "file"),
    ],
)
def test_completion(tmp_path: Path, line: str, word: str) -> None:
    process = completed(tmp_path, line)
    assert word in process.out
    assert not process.libraries & (HEAVY | SHOWING)


@pytest.mark.parametrize("name", COMMANDS)
def test_unknown_option(tmp_path: Path, name: str) -> None:
    process = onnxmem(tmp_path, name, "--nonsense")
    assert process.code == 2
    assert not process.libraries & (HEAVY | SHOWING)


@pytest.mark.parametrize("text", ["nonsense = 1", "per-class = 'many'", "metric = 'f1'", "["])
def test_wrong_configuration(tmp_path: Path, text: str) -> None:
    (tmp_path / "onnxmem.toml").write_text(text)
    process = onnxmem(tmp_path, "audit", "net.onnx", "--data", "data.npz")
    assert process.code == 2
    assert not process.libraries & (HEAVY | SHOWING)


@pytest.mark.parametrize("arguments", [["show"], ["clear"], ["--json", "-"]], ids=" ".join)
def test_cache(tmp_path: Path, arguments: list[str]) -> None:
    process = onnxmem(tmp_path, "cache", *arguments)
    assert process.code == 0
    assert not process.libraries & HEAVY


def test_table_of_a_report(tmp_path: Path, stored: str) -> None:
    process = onnxmem(tmp_path, "report", stored)
    assert process.code == 1 and "mixed" in process.out
    assert not process.libraries & HEAVY


@pytest.mark.parametrize("name", ["json", "markdown", "junit", "sarif"])
def test_other_forms_of_a_report(tmp_path: Path, stored: str, name: str) -> None:
    process = onnxmem(tmp_path, "report", stored, f"--{name}", "-")
    assert process.code == 1 and process.out
    assert not process.libraries & (HEAVY | {"rich"})


@pytest.mark.parametrize("stored", ["report"], indirect=True)
def test_a_page_waits_for_what_draws_its_charts_and_for_nothing_that_reads_models(
    tmp_path: Path, stored: str
) -> None:
    process = onnxmem(tmp_path, "report", stored, "--html", "-")
    assert process.code == 1 and process.out
    assert process.libraries >= CHARTS - {"altair"}
    assert not process.libraries & (MODELS | {"altair", "jsonschema"})


@pytest.mark.parametrize("stored", ["report"], indirect=True)
def test_a_page_that_was_made_before_waits_for_nothing(tmp_path: Path, stored: str) -> None:
    pages = [onnxmem(tmp_path, "report", stored, "--html", "-") for _ in range(2)]
    assert pages[0].out == pages[1].out != ""
    assert not pages[1].libraries & HEAVY
