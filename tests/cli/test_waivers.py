"""Waivers of a configuration file: what they forgive, and that they never go unsaid."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sample_networks import Sample

Command = Callable[..., Any]
FAST = 'compress = "nmf"\nbatch = ["mixed"]\nranks = [1, 4]\n'
GATE = '[fail-under]\n"nmf.mixed" = 1.0\n'
WAIVER = '[[waiver]]\ngate = "nmf.mixed"\nreason = "is known"\n'


@pytest.fixture
def audit(command: Command, folder: Path, mlp: Sample) -> Callable[..., Any]:
    """Return the function that audits with a configuration."""

    def run(text: str, *options: str, name: str = "onnxmem.toml") -> Any:
        (folder / name).write_text(text)
        return command("audit", mlp.path, "--data", mlp.data, *options)

    return run


def test_a_waived_gate_does_not_fail_the_build(audit: Callable[..., Any], folder: Path) -> None:
    assert audit(FAST + GATE, "-q").code == 1
    outcome = audit(FAST + GATE + WAIVER, "-q", "--json", "r.json")
    assert outcome.code == 0
    assert "Waiver for nmf.mixed: in force" in outcome.err and "is known" in outcome.err
    report = json.loads((folder / "r.json").read_text())
    assert report["verdict"] == "pass" and report["gates"][0]["passed"] is False
    assert report["waivers"][0]["state"] == "applied"


def test_an_expired_one_has_no_effect_and_is_said(audit: Callable[..., Any]) -> None:
    outcome = audit(FAST + GATE + WAIVER + "expires = 2020-01-31\n", "-q")
    assert outcome.code == 1
    assert "expired on 2020-01-31" in outcome.err


def test_it_may_stand_in_the_file_of_a_project(audit: Callable[..., Any]) -> None:
    tables = (FAST + GATE + WAIVER).replace("[[waiver]]", "[[tool.onnxmem.waiver]]")
    tables = tables.replace("[fail-under]", "[tool.onnxmem.fail-under]")
    outcome = audit("[tool.onnxmem]\n" + tables, "-q", name="pyproject.toml")
    assert outcome.code == 0 and "is known" in outcome.err


def test_the_table_tells_them(audit: Callable[..., Any]) -> None:
    outcome = audit(FAST + GATE + WAIVER)
    assert "Waiver for nmf.mixed" in outcome.out and "failed, waived" in outcome.out


def test_compare_takes_them_too(command: Command, folder: Path, mlp: Sample) -> None:
    (folder / "onnxmem.toml").write_text(FAST + GATE + WAIVER)
    outcome = command("compare", mlp.path, mlp.path, "--data", mlp.data, "-q")
    assert outcome.code == 0 and outcome.err.count("in force") == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('waiver = "all"\n', "[[waiver]]"),
        ('[[waiver]]\ngate = "nmf.mixed"\n', "needs a reason"),
        (WAIVER + 'until = "x"\n', "has no 'until'"),
        (WAIVER + 'expires = "soon"\n', "YYYY-MM-DD"),
        (WAIVER + 'layer = "a"\nsample = "b"\n', "not both"),
    ],
)
def test_one_that_makes_no_sense_is_wrong_usage(
    audit: Callable[..., Any], text: str, said: str
) -> None:
    outcome = audit(text, "-q")
    assert outcome.code == 2
    assert said in outcome.err and "onnxmem.toml" in outcome.err
