"""The README keeps its promises: commands as they are, help as it is printed."""

import inspect
import re
from pathlib import Path

import click
import pytest
from onnxmem.cli.entry import COMMANDS, cli

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


@pytest.mark.parametrize("path", [("onnxmem",), ("onnxmem", "audit")])
def test_help_stands_in_the_readme_with_every_option_and_its_words(path: tuple[str, ...]) -> None:
    context = cli.make_context("onnxmem", [], resilient_parsing=True)
    command: click.Command = cli
    for name in path[1:]:
        command = cli.get_command(context, name) or cli
        context = command.make_context(name, [], context, resilient_parsing=True)
    block = README.split(f"```text\nUsage: {' '.join(path)} [OPTIONS]")[1].split("\n```")[0]
    words = " ".join(block.split())
    assert " ".join(inspect.cleandoc(command.help or "").split()) in words
    options = [one for one in command.get_params(context) if isinstance(one, click.Option)]
    names = {name for one in options for name in (*one.opts, *one.secondary_opts)}
    declared = " ".join(re.findall(r"^  (-.*?)(?:  |$)", block, re.MULTILINE))
    assert set(re.findall(r"--?[a-z][a-z-]*", declared)) == names
    for option in options:
        own = not option.is_eager  # of --help and --version click says what they do
        assert not own or " ".join((option.help or "").split()) in words


def test_quick_start_has_two_commands_of_one_line() -> None:
    section = README.split("## Quick start")[1].split("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)\n```", section, re.DOTALL)
    assert len(blocks) == 2
    assert all("\n" not in block for block in blocks)
    assert "onnxmem demo" in blocks[0]
    assert "pytest" in blocks[1]


def test_every_command_is_described() -> None:
    assert [name for name in COMMANDS if f"`onnxmem {name}" not in README] == []
