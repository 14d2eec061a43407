"""Writes docs/commands.md anew: what was written by hand, then every command with its help.

python docs/site/write_commands.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from onnxmem.cli.entry import COMMANDS, cli

PAGE = Path(__file__).parents[1] / "commands.md"
MARK = "<!-- What follows is written by docs/site/write_commands.py. -->\n"
WIDTH = 80


def main() -> None:
    """Replace what stands behind the mark."""
    by_hand = PAGE.read_text("utf-8").partition(MARK)[0]
    PAGE.write_text(by_hand + MARK + "".join(sections()), "utf-8")


def sections() -> Iterator[str]:
    """Yield a section for the whole, and one for each command."""
    whole = cli.make_context("onnxmem", [], resilient_parsing=True, terminal_width=WIDTH)
    yield _section("All commands", "", cli.get_help(whole))
    for name, what in COMMANDS.items():
        command = cli.get_command(whole, name)
        assert command is not None
        context = command.make_context(
            name, [], whole, resilient_parsing=True, terminal_width=WIDTH
        )
        yield _section(f"onnxmem {name}", f"{what}\n\n", command.get_help(context))


def _section(title: str, what: str, help_text: str) -> str:
    return f"\n## {title}\n\n{what}```text\n{help_text}\n```\n"


if __name__ == "__main__":
    main()
