"""`python -m tests.fuzz --count 20000`: odd inputs, each run by the command in a child process.

Prints how many of each kind ended with which code, and every fault with the case that shows it.
Exits with 1 where there is one.
"""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import os
import pkgutil
import shutil
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "ORT_DISABLE_TELEMETRY": "1"}

from tests.fuzz.cases import Case, make
from tests.fuzz.joining import parts_join
from tests.fuzz.oracle import Outcome, faults, run

OF_OTHERS = ("PIL.Image", "PIL.ImageOps", *(f"PIL.{one}ImagePlugin" for one in (
    "Bmp", "Gif", "Jpeg", "Png", "Ppm", "Tiff", "WebP")), "encodings.cp437", "encodings.utf_8_sig",
    "gzip", "narwhals", "numpy.random", "onnxruntime", "pyarrow.feather", "pyarrow.parquet",
    "rich.live", "rich.progress", "rich.table", "tomllib")  # fmt: skip
"""Modules that commands import late."""


def _warm() -> None:
    """Import what commands import where their work begins, so that children need not.

    Nothing runs here that starts threads, which a child does not inherit.
    """
    import onnxmem.cli

    import onnxmem.report.web

    ours = [*pkgutil.walk_packages(onnxmem.__path__, "onnxmem.", onerror=str)]
    ours += pkgutil.iter_modules(onnxmem.cli.__path__, "onnxmem.cli.")
    names = [one.name for one in ours if not one.name.endswith(("__main__", ".device"))]
    for name in (*OF_OTHERS, *names):
        with suppress(ImportError):
            importlib.import_module(name)
    onnxmem.report.web.runtime()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=300, help="how many inputs (300)")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="when to stop")
    parser.add_argument("--seed", default="0", help="other inputs for another word")
    parser.add_argument("--workers", type=int, default=1, help="inputs at the same time (1)")
    parser.add_argument("--only", type=int, help="run this case alone, and keep its folder")
    parser.add_argument("--scratch", type=Path, help="where files go; default: a temporary folder")
    return parser.parse_args()


def main() -> int:
    """Run the cases; return 1 where one is at fault."""
    options = _arguments()
    scratch = Path(tempfile.mkdtemp(prefix="onnxmem-fuzz-", dir=options.scratch))
    _warm()
    if options.only is not None:
        found = _one(options.only, scratch, options.seed, float("inf"), keep=True)
        assert found is not None
        print(found.told, scratch / str(options.only), found.case, found.outcome, sep="\n")
        return int(bool(found.told))
    try:
        return _all(options, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@dataclass(frozen=True)
class _Found:
    """A case and how it ended; `told` says what is wrong, if anything."""

    kind: str
    case: Case
    outcome: Outcome
    told: str


@dataclass
class _Counts:
    """How the cases ended, by kind and code."""

    codes: Counter[tuple[str, int]] = field(default_factory=Counter)
    wrong: int = 0
    longest: float = 0.0

    def add(self, found: _Found) -> None:
        """Count a case."""
        self.codes[found.kind, found.outcome.code] += 1
        self.longest = max(self.longest, found.outcome.seconds)
        self.wrong += bool(found.told)

    def table(self, seconds: float) -> str:
        """Return the counts as text."""
        codes = sorted({code for _, code in self.codes})
        kinds = sorted({kind for kind, _ in self.codes})
        rows = [["kind", *(f"exit {code}" for code in codes)], ["---"] * (len(codes) + 1)]
        rows += [[kind, *(str(self.codes[kind, code]) for code in codes)] for kind in kinds]
        lines = [f"| {' | '.join(row)} |" for row in rows]
        head = (
            f"{self.codes.total()} inputs in {seconds:.0f} s, the slowest {self.longest:.1f} s, "
            f"{self.wrong} wrong"
        )
        return "\n".join([head, *lines])


def _all(options: argparse.Namespace, scratch: Path) -> int:
    counts, began = _Counts(), time.monotonic()
    one = partial(
        _one, scratch=scratch, seed=options.seed, until=began + options.seconds, keep=False
    )
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(options.workers, mp_context=fork) as workers:
        for found in workers.map(one, range(options.count)):
            if found is None:
                break
            counts.add(found)
            if found.told:
                print(found.told, flush=True)
            if counts.codes.total() % 1000 == 0:
                print(counts.table(time.monotonic() - began), flush=True)
        workers.shutdown(cancel_futures=True)
    print(counts.table(time.monotonic() - began))
    return int(counts.wrong > 0)


def _one(number: int, scratch: Path, seed: str, until: float, *, keep: bool) -> _Found | None:
    """Make a case and run it; None where time is over."""
    if time.monotonic() > until:
        return None
    folder = scratch / str(number)
    folder.mkdir()
    kind, case = make(folder, f"{seed}-{number}")
    outcome = run(case, folder)
    found = faults(case, outcome)
    if case.arguments[0] == "split" and outcome.code == 0 and not _joins(folder):
        found.append("parts do not join")
    told = ""
    if found:
        last = " | ".join(outcome.err.strip().splitlines())[-300:]
        told = f"{number} {kind} {' '.join(case.arguments)}: {'; '.join(found)}\n    {last}"
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
        for name in ("out", "err"):
            (scratch / f"{folder.name}.{name}").unlink(missing_ok=True)
    return _Found(kind, case, outcome, told)


def _joins(folder: Path) -> bool:
    """Ask in a child, since onnxruntime must not have run in the parent of others."""
    child = os.fork()
    if child == 0:
        joined = False
        try:
            joined = parts_join(folder)
        finally:
            os._exit(0 if joined else 1)
    return os.waitpid(child, 0)[1] == 0


if __name__ == "__main__":
    sys.exit(main())
