"""The README keeps its promises: short, with a quick start of two commands, and links that lead."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def test_quick_start_has_two_commands_of_one_line() -> None:
    section = README.split("## Quick start")[1].split("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)\n```", section, re.DOTALL)
    assert len(blocks) == 2
    assert all("\n" not in block for block in blocks)
    assert "onnxmem demo" in blocks[0]
    assert "pytest" in blocks[1]


def test_it_is_read_in_a_few_minutes() -> None:
    assert len(README.encode()) <= 9_000


def test_links_lead_to_files() -> None:
    links = re.findall(r"\]\(([^)#:]+)[)#]", README)
    assert links and [link for link in links if not (ROOT / link).exists()] == []
