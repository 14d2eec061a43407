"""Every command stands in docs/commands.md as it is: what it does, and all of its help."""

from __future__ import annotations

import inspect
import re
import shlex
from pathlib import Path

import click
import pytest
from onnxmem.cli.entry import COMMANDS, cli
from onnxmem.cli.examples import EXAMPLES

PAGE = (Path(__file__).parents[2] / "docs" / "commands.md").read_text("utf-8")


def found(name: str) -> tuple[click.Command, click.Context]:
    """Return the command of that name, or the whole for none, and a context for it."""
    context = cli.make_context("onnxmem", [], resilient_parsing=True)
    if not name:
        return cli, context
    command = cli.get_command(context, name)
    assert command is not None
    return command, command.make_context(name, [], context, resilient_parsing=True)


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_is_there_with_every_option_and_its_words(name: str) -> None:
    command, context = found(name)
    path = f"onnxmem {name}".strip()
    block = PAGE.split(f"```text\nUsage: {path} [OPTIONS]")[1].split("\n```")[0]
    words = " ".join(block.split())
    assert " ".join(inspect.cleandoc(command.help or "").replace("\b", "").split()) in words
    options = [one for one in command.get_params(context) if isinstance(one, click.Option)]
    names = {name for one in options for name in (*one.opts, *one.secondary_opts)}
    declared = " ".join(re.findall(r"^  (-.*?)(?:  |$)", block, re.MULTILINE))
    assert set(re.findall(r"--?[a-z][a-z-]*", declared)) == names
    for option in options:
        own = not option.is_eager  # of --help and --version click says what they do
        assert not own or " ".join((option.help or "").split()) in words


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_are_in_the_help_and_can_be_typed(name: str) -> None:
    assert EXAMPLES[name]
    command, context = found(name)
    shown = " ".join(command.get_help(context).split())
    for line in EXAMPLES[name]:
        assert line in shown and line in PAGE
        program, own, *arguments = shlex.split(line)
        assert (program, own) == ("onnxmem", name)
        command.make_context(name, arguments, cli.make_context("onnxmem", [name]))


@pytest.mark.parametrize(("name", "what"), COMMANDS.items())
def test_a_line_says_what_each_command_does(name: str, what: str) -> None:
    assert f"\n## onnxmem {name}\n\n{what}\n" in PAGE
