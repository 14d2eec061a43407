"""The GitHub Action: its form, and its steps run as a runner would run them."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx.parser
import pytest
import yaml
from sample_networks import Sample

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
INSTALL, AUDIT = ACTION["runs"]["steps"]
BASH = shutil.which("bash")
QUICK = "--ranks=1,2 --compress=nmf --batch=mixed --device=cpu"
HOSTILE = "$(touch pwned)`touch pwned`;touch pwned;'\"&|.onnx"


def test_form_is_that_of_a_composite_action() -> None:
    assert set(ACTION) == {"name", "description", "author", "branding", "inputs", "outputs", "runs"}
    assert ACTION["runs"]["using"] == "composite"
    assert len(ACTION["description"]) < 125
    for one in ACTION["inputs"].values():
        assert one["description"] and set(one) <= {"description", "required", "default"}
        assert one.get("required") is True or isinstance(one["default"], str)
    for step in ACTION["runs"]["steps"]:
        assert set(step) <= {"name", "id", "shell", "env", "run"}
        assert step["shell"] == "bash"


def test_scripts_get_what_others_wrote_from_the_environment_alone() -> None:
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step["run"]
        for name, value in step["env"].items():
            assert re.fullmatch(r"\$\{\{ (inputs\.[a-z]+|github\.action_path) \}\}", value)
            assert f"${name}" in step["run"] or f'environ["{name}"]' in step["run"]
    used = re.findall(r"inputs\.([a-z]+)", str(ACTION["runs"]))
    assert set(used) == set(ACTION["inputs"])


def test_outputs_are_those_that_the_audit_writes() -> None:
    for name, output in ACTION["outputs"].items():
        assert output["value"] == f"${{{{ steps.audit.outputs.{name} }}}}"
        assert f'"{name}=' in AUDIT["run"]


@dataclass(frozen=True)
class Ran:
    """What a step left behind."""

    code: int
    text: str
    summary: str
    outputs: dict[str, str]


@pytest.fixture
def step(tmp_path: Path) -> Callable[..., Ran]:
    """Return the function that runs the script of a step in an empty workspace."""
    if BASH is None or os.name != "posix":
        pytest.skip("needs bash")
    temporary, workspace = tmp_path / "temp", tmp_path / "work"
    python = temporary / "onnxmem" / "bin" / "python"
    python.parent.mkdir(parents=True)
    workspace.mkdir()
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    python.chmod(0o755)

    def run(script: str, **environment: object) -> Ran:
        summary, outputs = tmp_path / "summary", tmp_path / "outputs"
        summary.touch()
        outputs.touch()
        runner = {"RUNNER_TEMP": temporary, "GITHUB_STEP_SUMMARY": summary}
        given = runner | {"GITHUB_OUTPUT": outputs} | environment
        done = subprocess.run(
            [str(BASH), "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=workspace,
            env=os.environ | {name: str(value) for name, value in given.items()},
            capture_output=True,
            text=True,
        )
        assert not list(tmp_path.rglob("pwned"))
        pairs = (line.split("=", 1) for line in outputs.read_text().splitlines())
        text = done.stdout + done.stderr
        return Ran(done.returncode, text, summary.read_text(), dict(pairs))

    return run


def test_an_audit_leaves_summary_files_and_code(step: Callable[..., Ran], mlp: Sample) -> None:
    args = f"{QUICK} '--fail-under=nmf.mixed=0.999'"
    ran = step(AUDIT["run"], MODEL=mlp.path, DATA=mlp.data, ARGS=args)
    assert ran.code == 1, ran.text
    assert ran.outputs["exit-code"] == "1"
    assert "❌ onnxmem: fail" in ran.summary
    assert json.loads(Path(ran.outputs["sarif"]).read_text())["version"] == "2.1.0"
    settings = json.loads(Path(ran.outputs["json"]).read_text())["settings"]
    assert (settings["ranks"], settings["fail_under"]) == ([1, 2], {"nmf.mixed": 0.999})


@pytest.mark.parametrize("spelled", ["--json={}", "--json {}"])
def test_files_that_args_name_are_the_outputs(
    step: Callable[..., Ran], mlp: Sample, tmp_path: Path, spelled: str
) -> None:
    own = tmp_path / "own report.json"
    args = f"{QUICK} {spelled.format(shlex.quote(str(own)))}"
    ran = step(AUDIT["run"], MODEL=mlp.path, DATA=mlp.data, ARGS=args)
    assert ran.code == 0, ran.text
    assert ran.outputs["json"] == str(own)
    assert json.loads(own.read_text())["settings"]["ranks"] == [1, 2]
    assert Path(ran.outputs["sarif"]).is_file()


def test_a_network_that_cannot_be_audited_leaves_summary_and_files(
    step: Callable[..., Ran], mlp: Sample, tmp_path: Path
) -> None:
    network = without_relu(tmp_path / "net.onnx")
    ran = step(AUDIT["run"], MODEL=network, DATA=mlp.data, ARGS=QUICK)
    assert (ran.code, ran.outputs["exit-code"]) == (3, "3"), ran.text
    assert "⚠️ onnxmem: inconclusive" in ran.summary
    (run,) = json.loads(Path(ran.outputs["sarif"]).read_text())["runs"]
    assert run["invocations"][0]["toolExecutionNotifications"]
    assert json.loads(Path(ran.outputs["json"]).read_text())["verdict"] == "inconclusive"


def without_relu(path: Path) -> Path:
    """Write a network without any ReLU."""
    text = (
        '<ir_version: 8, opset_import: ["": 17]> n (float[N,10] x) => (float[N,10] y) {y=Tanh(x)}'
    )
    onnx.save(onnx.parser.parse_model(text), path)
    return path


@pytest.mark.parametrize(
    "values",
    [
        {"MODEL": HOSTILE},
        {"MODEL": "--help"},
        {"DATA": HOSTILE},
        {"ARGS": f"--layers='{HOSTILE[:18]}'"},
        {"ARGS": HOSTILE},
        {"ARGS": "'open"},
    ],
)
def test_hostile_inputs_end_in_an_error(
    step: Callable[..., Ran], mlp: Sample, values: dict[str, str]
) -> None:
    ran = step(AUDIT["run"], **({"MODEL": mlp.path, "DATA": mlp.data, "ARGS": QUICK} | values))
    assert ran.code != 0
    assert "sarif" not in ran.outputs
    assert not ran.summary


@pytest.mark.parametrize(
    ("version", "wanted"), [("", "/the action[cpu]"), ("1.2.3", "onnxmem[cpu]==1.2.3")]
)
def test_the_action_installs_itself_or_a_version(
    step: Callable[..., Ran], tmp_path: Path, version: str, wanted: str
) -> None:
    fake = tmp_path / "python"
    fake.write_text(
        "#!/bin/sh\nprintf '<%s>' \"$@\"\n"
        '[ "$2" = venv ] && mkdir -p "$3/bin" && cp "$0" "$3/bin/python"\nexit 0\n'
    )
    fake.chmod(0o755)
    ran = step(INSTALL["run"], PYTHON=fake, VERSION=version, SOURCE="/the action")
    assert ran.code == 0, ran.text
    assert ran.text.endswith(f"<-m><pip><install><--quiet><--><{wanted}>")
