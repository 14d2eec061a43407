"""The pages of docs/ keep their word: commands run and end as told, links lead to files."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from onnxmem.cli.entry import main

from onnxmem import models

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NETWORKS = (
    *("vowels-mlp-p00", "vowels-mlp-p20", "vowels-mlp-p100", "vowels-mlp-init1-p00"),
    *("mnist-cnn-p40", "mnist-cnn-p40-early", "mnist-cnn-gelu-p20"),
)
BASH = shutil.which("bash")


def blocks(page: Path, *languages: str) -> list[tuple[str, str]]:
    """Return the fenced blocks of a page in these languages, each with its language."""
    found = BLOCK.findall(page.read_text("utf-8"))
    return [(language, text) for language, text in found if language in languages]


def run(program: str, arguments: list[str]) -> object:
    """Run onnxmem, or a script that a page holds; return the exit code."""
    if program == "python":
        return subprocess.run([sys.executable, *arguments], check=False).returncode
    assert program == "onnxmem", program
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    return stop.value.code


class Reader:
    """Somebody who types what a page says, in a folder with the shipped networks."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capture = folder, capture
        self.names: dict[str, Any] = {}

    def follow(self, language: str, text: str) -> None:
        """Do what one block says."""
        if named := re.match(r"# (\S+\.(?:py|toml))\n", text):
            (self.folder / named[1]).write_text(text, "utf-8")
        elif language == "python":
            exec(compile(text, "page", "exec"), self.names)
        else:
            for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE):
                self.type(command, output.splitlines())

    def type(self, command: str, output: list[str]) -> None:
        """Run a command; each line of `output` must stand somewhere in what it says."""
        line, _, code = command.partition("  # exits with ")
        program, *arguments = shlex.split(line)
        self.capture.readouterr()
        ended = run(program, arguments)
        said = " ".join("".join(self.capture.readouterr()).split())
        assert ended == int(code or 0), (command, said)
        for expected in output:
            assert expected in said, command


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "console")], ids=lambda p: p.stem)
def test_commands_do_what_the_page_says(
    page: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for name in NETWORKS:
        network = models.network(name)
        shutil.copy(network.path, tmp_path)
        shutil.copy(network.data_path, tmp_path)
    monkeypatch.chdir(tmp_path)
    reader = Reader(tmp_path, capfd)
    for language, text in blocks(page, "console", "python", "toml"):
        reader.follow(language, text)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text("utf-8")
    assert [page.name for page in PAGES if page.name not in index] == ["README.md"]


@pytest.mark.skipif(BASH is None, reason="needs bash")
def test_the_networks_can_be_copied(tmp_path: Path) -> None:
    ((_, script),) = blocks(ROOT / "docs" / "README.md", "sh")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path}
    subprocess.run([str(BASH), "-ec", script], cwd=tmp_path, env=environment, check=True)
    networks = [models.network(name) for name in NETWORKS]
    files = {path.name for one in networks for path in (one.path, one.data_path)}
    assert files <= set(os.listdir(tmp_path))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_there(shell: str, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    assert (
        f"_ONNXMEM_COMPLETE={shell}_source onnxmem"
        in blocks(ROOT / "docs" / "configuration.md", "sh")[0][1]
    )
    monkeypatch.setenv("_ONNXMEM_COMPLETE", f"{shell}_source")
    if shell == "bash" and BASH is None:
        pytest.skip("click asks bash for its version")
    with pytest.raises(SystemExit) as stop:
        main([])
    assert stop.value.code == 0
    assert f"_ONNXMEM_COMPLETE={shell}_complete" in capfd.readouterr().out


def test_workflow_and_hook_fit_what_is_offered() -> None:
    (_, workflow), (_, config) = blocks(ROOT / "docs" / "gates.md", "yaml")
    steps = yaml.safe_load(workflow)["jobs"]["memorization"]["steps"]
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    (used,) = (step for step in steps if step.get("id") == "audit")
    assert set(used["with"]) <= set(action["inputs"])
    assert steps[-1]["with"]["sarif_file"] == "${{ steps.audit.outputs.sarif }}"
    ids = [hook["id"] for hook in yaml.safe_load(config)["repos"][0]["hooks"]]
    offered = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert set(ids) <= {hook["id"] for hook in offered}


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        (["audit", "--fail"], "plain,--fail-under"),
        (["audit", "--metric", ""], "plain,top1"),
        (["audit", "--kind", "ge"], "plain,gelu"),
        (["audit", "--compress", "nmf,"], "plain,nmf,pca"),
        (["compare", "--batch", "mi"], "plain,mixed"),
        (["inspect", "--device", "cu"], "plain,cuda"),
        (["audit", "--ranks", ""], "plain,auto"),
        (["audit", "--fail-under", "pca"], "plain,pca.mixed="),
        (["audit", "--fail-over", "label"], "plain,label_noise="),
        (["audit", "net"], "file,net"),
        (["audit", "--data", "net"], "file,net"),
        (["compare", "--baseline", "net"], "file,net"),
        (["report", "--png", "net"], "file,net"),
        (["locate", "--check"], "plain,--checkpoint"),
        (["locate", "--checkpoint", "net"], "file,net"),
    ],
)
def test_options_choices_and_files_are_completed(
    words: list[str], completed: str, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    monkeypatch.setenv("_ONNXMEM_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", shlex.join(["onnxmem", *words]))
    monkeypatch.setenv("COMP_CWORD", str(len(words)))
    with pytest.raises(SystemExit):
        main([])
    assert completed in capfd.readouterr().out.splitlines()
