"""The suite against other versions of what it needs, in environments of their own outside the tree.

nox -f tests/noxfile.py -s newest              the newest versions of today
nox -f tests/noxfile.py -s lowest              the lowest that pyproject.toml allows
nox -f tests/noxfile.py -s newest -P 3.13      on another Python
nox -f tests/noxfile.py -s newest -- tests/cli part of the suite: pytest's arguments
nox -f tests/noxfile.py -s pins                makes tests/constraints.txt anew
"""

from __future__ import annotations

from pathlib import Path

import nox
import platformdirs

ROOT = Path(__file__).parents[1]
PINS = "tests/constraints.txt"

nox.options.default_venv_backend = "uv"
nox.options.envdir = platformdirs.user_cache_path("onnxmem-tests")
nox.options.sessions = ["newest", "lowest"]


@nox.session
def newest(session: nox.Session) -> None:
    """Run the suite with the newest versions."""
    _suite(session, "highest")


@nox.session
def lowest(session: nox.Session) -> None:
    """Run the suite with the lowest versions of what pyproject.toml names."""
    _suite(session, "lowest-direct")


@nox.session
def pins(session: nox.Session) -> None:
    """Pin the newest versions of all that the tests need, for every Python and system."""
    session.chdir(ROOT)
    extras = ("--extra", "browser", "--extra", "dev")
    made_by = {"UV_CUSTOM_COMPILE_COMMAND": "nox -f tests/noxfile.py -s pins"}
    session.install("uv")
    session.run(
        *("uv", "pip", "compile", "-q", "--universal", "--upgrade", "--no-annotate", *extras),
        *("--output-file", PINS, "pyproject.toml"),
        env=made_by,
    )


def _suite(session: nox.Session, resolution: str) -> None:
    session.chdir(ROOT)
    session.install("--resolution", resolution, "-e", ".[browser,dev]")
    session.run("python", "-m", "pytest", "-q", "-n", "auto", *session.posargs)
