"""Do two checkouts give the same reports? Audits every shipped network with both, byte for byte.

    python benchmarks/same_reports.py BEFORE AFTER [--only GLOB]

BEFORE and AFTER are folders of this project. Each is installed into an environment of its own, with
the same versions of all libraries, and audits the networks of BEFORE without a cache. `timings` and
the versions of libraries may differ, nothing else. Exits with 1 where a report does.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import subprocess
import sys
import tempfile
import venv
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

AT_ONCE = 2
MAY_DIFFER = ("timings",)


def install(checkout: Path, place: Path, constraints: Path | None) -> Path:
    """Return the Python of a new environment that holds a checkout."""
    venv.create(place, with_pip=True)
    python = place / "bin" / "python"
    line = [python, "-m", "pip", "install", "-q", "-e", f"{checkout.resolve()}[cpu,fast]"]
    if constraints is not None:
        line += ["-c", constraints]
    subprocess.run(line, check=True)
    return python


def freeze(python: Path, to: Path) -> Path:
    """Write which versions an environment holds, as constraints for another one."""
    line = [python, "-m", "pip", "freeze", "--exclude-editable"]
    to.write_text(subprocess.run(line, check=True, capture_output=True, text=True).stdout, "utf-8")
    return to


def report(python: Path, folder: Path, name: str) -> bytes:
    """Return the report of a network without what may differ."""
    line = [python, "-m", "onnxmem", "audit", f"{name}.onnx", "--data", f"{data_of(folder, name)}"]
    done = subprocess.run(
        [*line, "--no-cache", "-q", "--json", "-"], cwd=folder, capture_output=True, check=False
    )
    if not done.stdout:
        raise SystemExit(f"{name}: {done.stderr.decode()}")
    values = {key: one for key, one in json.loads(done.stdout).items() if key not in MAY_DIFFER}
    return json.dumps(values, ensure_ascii=False).encode()


def data_of(folder: Path, name: str) -> str:
    """Return the samples of a network, which a checkpoint shares with the network it became."""
    own = f"{name}.npz"
    return own if (folder / own).exists() else f"{name.removesuffix('-early')}.npz"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--only", default="*", help="names of networks")
    arguments = parser.parse_args()
    folder = (arguments.before / "models").resolve()
    names = sorted(path.stem for path in folder.glob("*.onnx"))
    names = [name for name in names if fnmatch.fnmatch(name, arguments.only)]
    with tempfile.TemporaryDirectory() as scratch:
        before = install(arguments.before, Path(scratch) / "before", None)
        constraints = freeze(before, Path(scratch) / "constraints.txt")
        after = install(arguments.after, Path(scratch) / "after", constraints)
        with ThreadPoolExecutor(AT_ONCE) as team:
            found = [list(team.map(partial(report, one, folder), names)) for one in (before, after)]
    differ = [name for name, one, other in zip(names, *found, strict=True) if one != other]
    print(f"{len(names) - len(differ)} of {len(names)} reports are equal byte for byte")
    print(*(f"{name} differs" for name in differ), sep="\n")
    sys.exit(bool(differ))


if __name__ == "__main__":
    main()
