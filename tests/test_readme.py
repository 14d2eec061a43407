"""The README keeps its promises: commands as they are, help as it is printed."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from onnxmem.cli.entry import COMMANDS, cli

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


@pytest.mark.parametrize("arguments", [[], ["audit"]])
def test_help_stands_in_the_readme_as_it_is_printed(arguments: list[str]) -> None:
    result = CliRunner().invoke(cli, [*arguments, "--help"], prog_name="onnxmem", terminal_width=80)
    assert f"```text\n{result.output.rstrip()}\n```" in README


def test_quick_start_has_two_commands_of_one_line() -> None:
    section = README.split("## Quick start")[1].split("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)\n```", section, re.DOTALL)
    assert len(blocks) == 2
    assert all("\n" not in block for block in blocks)
    assert "onnxmem demo" in blocks[0]
    assert "pytest" in blocks[1]


def test_every_command_is_described() -> None:
    assert [name for name in COMMANDS if f"`onnxmem {name}" not in README] == []
