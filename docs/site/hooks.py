"""Lets pages of the site link to files of the repository that lie outside of docs/.

Files in Markdown become pages below `repository/`, with links among each other; links to anything
else (folders, scripts) stay as text. A link to a file that is not there stays as it is, so that
`mkdocs build --strict` complains.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
HOME = "repository"
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)#:\s]+)(#[^)]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the Markdown files that pages lead to, and those that these lead to."""
    waiting = [f"docs/{page.src_uri}" for page in files.documentation_pages()]
    seen: set[str] = set()
    while waiting:
        page = waiting.pop()
        for path in _targets(page):
            if path.endswith(".md") and not path.startswith("docs/") and path not in seen:
                seen.add(path)
                waiting.append(path)
                text = (ROOT / path).read_text("utf-8")
                files.append(File.generated(config, f"{HOME}/{path}", content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Let links lead to where the files are in the site."""
    here = page.file.src_uri
    source = here.removeprefix(f"{HOME}/") if here.startswith(f"{HOME}/") else f"docs/{here}"

    def rewritten(match: re.Match[str]) -> str:
        text, link, anchor = match[1], match[2], match[3] or ""
        path = _resolved(source, link)
        target = path.removeprefix("docs/") if path.startswith("docs/") else f"{HOME}/{path}"
        if files.get_file_from_path(target):
            relative = os.path.relpath(target, PurePosixPath(here).parent)
            return f"[{text}]({PurePosixPath(relative)}{anchor})"
        return text if (ROOT / path).exists() else match[0]

    return LINK.sub(rewritten, markdown)


def _targets(page: str) -> list[str]:
    """Return the files of the repository that a page leads to."""
    found = [_resolved(page, match[2]) for match in LINK.finditer((ROOT / page).read_text("utf-8"))]
    return [path for path in found if (ROOT / path).is_file()]


def _resolved(page: str, link: str) -> str:
    """Return what a link on a page leads to, from the root of the repository."""
    return os.path.normpath(PurePosixPath(page).parent / link)
