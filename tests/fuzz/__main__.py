"""`python -m tests.fuzz --count 20000`: odd inputs, each run by the command in a child process.

Prints how many of each kind ended with which code, and every fault with the case that shows it.
Exits with 1 where there is one.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "ORT_DISABLE_TELEMETRY": "1"}


def _warm() -> None:
    """Import what commands import where their work begins, so that children need not."""
    import onnxmem.cli.entry
    import onnxruntime
    from onnxmem.cli.entry import COMMANDS

    import onnxmem.auditing
    import onnxmem.evidence.measures
    import onnxmem.inspecting
    import onnxmem.report.html

    for name in COMMANDS:
        __import__(f"onnxmem.cli.{name}_command")
    assert onnxruntime and onnxmem


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=300, help="how many inputs (300)")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="when to stop")
    parser.add_argument("--seed", default="0", help="other inputs for another word")
    parser.add_argument("--only", type=int, help="run this case alone, and keep its folder")
    parser.add_argument("--scratch", type=Path, help="where files go; default: a temporary folder")
    return parser.parse_args()


def main() -> int:
    """Run the cases; return 1 where one is at fault."""
    options = _arguments()
    scratch = Path(tempfile.mkdtemp(prefix="onnxmem-fuzz-", dir=options.scratch))
    try:
        return _run(options, scratch)
    finally:
        if options.only is None:
            shutil.rmtree(scratch, ignore_errors=True)


def _run(options: argparse.Namespace, scratch: Path) -> int:
    from tests.fuzz.cases import make
    from tests.fuzz.joining import parts_join
    from tests.fuzz.oracle import faults, run

    _warm()
    began, counts, wrong, longest = time.monotonic(), Counter[tuple[str, int]](), 0, 0.0
    numbers = range(options.count) if options.only is None else [options.only]
    for number in numbers:
        if time.monotonic() - began > options.seconds:
            break
        folder = scratch / str(number)
        folder.mkdir()
        kind, case = make(folder, f"{options.seed}-{number}")
        outcome = run(case, folder)
        counts[kind, outcome.code] += 1
        longest = max(longest, outcome.seconds)
        found = faults(case, outcome)
        if case.arguments[0] == "split" and outcome.code == 0 and not _joins(parts_join, folder):
            found.append("parts do not join")
        if found:
            wrong += 1
            told = outcome.err.strip().splitlines()
            print(f"{number} {kind} {' '.join(case.arguments)}: {'; '.join(found)}", flush=True)
            print(f"    {' | '.join(told)[-300:]}", flush=True)
        if options.only is not None:
            print(folder, case, outcome, sep="\n")
        else:
            shutil.rmtree(folder, ignore_errors=True)
            for name in ("out", "err"):
                (scratch / f"{folder.name}.{name}").unlink(missing_ok=True)
    _tell(counts, wrong, longest, time.monotonic() - began)
    return int(wrong > 0)


def _joins(check: object, folder: Path) -> bool:
    """Ask in a child, since onnxruntime must not have run in the parent of others."""
    child = os.fork()
    if child == 0:
        joined = False
        try:
            joined = check(folder)  # type: ignore[operator]
        finally:
            os._exit(0 if joined else 1)
    return os.waitpid(child, 0)[1] == 0


def _tell(counts: Counter[tuple[str, int]], wrong: int, longest: float, seconds: float) -> None:
    codes = sorted({code for _, code in counts})
    print(f"{counts.total()} inputs in {seconds:.0f} s, the slowest {longest:.1f} s, {wrong} wrong")
    print("| kind | " + " | ".join(f"exit {code}" for code in codes) + " |")
    print("|---" * (len(codes) + 1) + "|")
    for kind in sorted({kind for kind, _ in counts}):
        print(f"| {kind} | " + " | ".join(str(counts[kind, code]) for code in codes) + " |")


if __name__ == "__main__":
    sys.exit(main())
