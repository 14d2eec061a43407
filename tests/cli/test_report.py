"""`onnxmem report`: a stored report in any format, with the code of its verdict."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sample_networks import Sample

import onnxmem
from onnxmem import report as formats
from onnxmem.records import Gate, Report

Command = Callable[..., Any]


@pytest.fixture(scope="module")
def report(mlp: Sample) -> Report:
    """Give the report of a quick audit."""
    return onnxmem.audit(
        mlp.path, mlp.x, mlp.y, ranks=[1, 2], compress=["nmf"], batch=["mixed"], device="cpu"
    )


@pytest.fixture
def stored(report: Report, folder: Path) -> str:
    """Give the name of its file."""
    report.to_json(folder / "stored.json")
    return "stored.json"


@pytest.fixture
def failed(report: Report, folder: Path) -> str:
    """Give the name of a report whose gate failed."""
    gates = (Gate("nmf.mixed", 1.0, 0.5, False),)
    replace(report, verdict="fail", reason="nmf.mixed is low", gates=gates).to_json(
        folder / "failed.json"
    )
    return "failed.json"


def test_without_outputs_it_shows_the_table(command: Command, stored: str) -> None:
    outcome = command("report", stored)
    assert (outcome.code, outcome.err, outcome.new_files) == (0, "", ())
    assert "relu1" in outcome.out and "relu2" in outcome.out
    assert "verdict: none" in " ".join(outcome.out.split())


def test_quiet_says_nothing(command: Command, stored: str) -> None:
    outcome = command("report", stored, "-q")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")


def test_every_format_at_once(command: Command, stored: str, report: Report, folder: Path) -> None:
    options = [
        f"--{name}=r.{name}"
        for name in ("html", "png", "svg", "markdown", "junit", "sarif", "json")
    ]
    outcome = command("report", stored, *options)
    assert outcome.code == 0, outcome.err
    assert len(outcome.new_files) == 7
    assert not outcome.out
    assert (folder / "r.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (folder / "r.svg").read_text("utf-8")
    assert json.loads((folder / "r.sarif").read_text("utf-8"))["version"] == "2.1.0"
    for name in ("html", "markdown", "junit", "json"):
        assert (folder / f"r.{name}").read_text("utf-8") == formats.render(report, name)


def test_stdout_holds_the_format_alone(command: Command, stored: str, folder: Path) -> None:
    outcome = command("report", stored, "--json", "-")
    assert outcome.out == (folder / stored).read_text("utf-8")
    assert "was audited" in outcome.err


def test_another_name_of_stdout_replaces_no_file_that_it_is_redirected_to(
    command: Command, stored: str, folder: Path
) -> None:
    outcome = command("report", stored, "--json", "/dev/stdout")
    assert outcome.out == (folder / stored).read_text("utf-8")


def test_outputs_need_not_be_readable(command: Command, stored: str, folder: Path) -> None:
    (folder / "r.html").touch(0o200)
    assert command("report", stored, "--html", "r.html").code == 0
    assert (folder / "r.html").stat().st_size


@pytest.mark.parametrize(("options", "code"), [((), 1), (("--exit-zero",), 0)])
def test_the_code_is_that_of_the_stored_verdict(
    command: Command, failed: str, options: tuple[str, ...], code: int
) -> None:
    for output in ((), ("--html", "r.html"), ("--junit", "-")):
        assert command("report", failed, *output, *options).code == code


def test_quiet_names_a_failed_gate(command: Command, failed: str) -> None:
    assert command("report", failed, "-q").err == "onnxmem: fail: nmf.mixed is low\n"


def test_an_inconclusive_report_is_not_forgiven(
    command: Command, report: Report, folder: Path
) -> None:
    replace(report, verdict="inconclusive", reason="saturated").to_json(folder / "open.json")
    assert command("report", "open.json", "--exit-zero").code == 3


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--html", "a.html", "--svg", "./a.html"), "same place"),
        (("--html", "-", "--png", "-"), "same place"),
        (("--svg", "a.svg", "--html", "missing/a.html"), "missing/a.html"),
        (("--html", "stored.json"), "overwrite"),
        (("--pdf", "a.pdf"), "--pdf"),
    ],
)
def test_outputs_that_cannot_be_leave_nothing(
    command: Command, stored: str, options: tuple[str, ...], word: str
) -> None:
    outcome = command("report", stored, *options)
    assert outcome.code == 2
    assert word in outcome.error


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": "onnxmem.compare/1"}', "\xff"])
def test_what_is_no_report_is_refused(command: Command, folder: Path, content: str) -> None:
    (folder / "r.json").write_text(content, "latin-1")
    outcome = command("report", "r.json", "--html", "r.html")
    assert outcome.code == 2
    assert "r.json" in outcome.error


def test_a_report_that_is_not_there(command: Command) -> None:
    outcome = command("report", "nowhere.json")
    assert outcome.code == 2
    assert "nowhere.json" in outcome.error


@pytest.fixture
def compared(command: Command, report: Report, folder: Path) -> str:
    """Give the name of a comparison of the report with itself."""
    report.to_json(folder / "stored.json")
    command("compare", "stored.json", "stored.json", "--json", "compared.json", "-q")
    return "compared.json"


def test_a_stored_comparison_is_written_as_compare_writes_it(
    command: Command, compared: str, folder: Path
) -> None:
    names = ("json", "html", "markdown", "junit", "sarif")
    for reader, paths in (("report", (compared,)), ("compare", ("stored.json",) * 2)):
        outputs = [part for name in names for part in (f"--{name}", f"{reader}.{name}")]
        outcome = command(reader, *paths, *outputs, "-q")
        assert outcome.code == 0, outcome.err
    for name in names:
        assert (folder / f"report.{name}").read_text() == (folder / f"compare.{name}").read_text()


def test_a_stored_comparison_is_shown(command: Command, compared: str) -> None:
    outcome = command("report", compared)
    assert outcome.code == 0
    assert "keep the same accuracy" in " ".join(outcome.out.split())


def test_a_comparison_is_drawn(command: Command, compared: str, folder: Path) -> None:
    outcome = command("report", compared, "--png", "c.png", "--svg", "c.svg", "-q")
    assert outcome.code == 0, outcome.err
    assert (folder / "c.png").read_bytes().startswith(b"\x89PNG")
    assert "2 models compared" in (folder / "c.svg").read_text("utf-8")


@pytest.mark.parametrize(
    "change", [{"layers": 3}, {"models": []}, {"reports": []}, {"summary": {"nmf.mixed": []}}]
)
def test_a_broken_comparison_is_refused(
    command: Command, compared: str, folder: Path, change: dict[str, Any]
) -> None:
    values = json.loads((folder / compared).read_text("utf-8"))
    (folder / "broken.json").write_text(json.dumps(values | change))
    outcome = command("report", "broken.json")
    assert outcome.code == 2
    assert "broken.json" in outcome.error
