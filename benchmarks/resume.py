"""Kill an audit at ten random moments, start it again each time, and compare it with a whole one.

    python benchmarks/resume.py [MODEL DATA] [--seed N]

Prints what each run added to the cache. Fails if the last report differs from that of an audit
without a cache in anything but its timings, or if a result that was kept was written again.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import onnxmem.models as models

KILLS = 10


def start(model: Path, data: Path, folder: Path, *options: str) -> subprocess.Popen[bytes]:
    line = "from onnxmem.cli import main; main()"
    command = [sys.executable, "-c", line, "audit", str(model), "--data", str(data), "-q"]
    environment = os.environ | {"ONNXMEM_CACHE_DIR": str(folder / "cache")}
    return subprocess.Popen(
        [*command, "--json", str(folder / "report.json"), *options], env=environment
    )


def finish(process: subprocess.Popen[bytes], folder: Path) -> tuple[float, dict[str, Any]]:
    """Return how long a run still took, and its report."""
    begin = time.perf_counter()
    if process.wait():
        raise SystemExit(f"the audit exits with {process.returncode}")
    report = json.loads((folder / "report.json").read_text("utf-8"))
    return time.perf_counter() - begin, report


def results(folder: Path) -> dict[str, int]:
    """Return the inode of each result; a result that is written again has another one."""
    return {path.name: path.stat().st_ino for path in (folder / "cache").glob("*.result")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    network = models.network("mnist-cnn-p00")
    parser.add_argument("model", nargs="?", type=Path, default=network.path)
    parser.add_argument("data", nargs="?", type=Path, default=network.data_path)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = (arguments.model, arguments.data, folder)
        whole_time, whole = finish(start(*run, "--no-cache"), folder)
        print(f"whole: {whole_time:.1f} s")
        known: dict[str, int] = {}
        for number in range(KILLS):
            process, delay = start(*run), rng.uniform(0, whole_time / 2)
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            code, found = process.wait(), results(folder)
            assert all(found[entry] == inode for entry, inode in known.items()), "computed twice"
            print(f"kill {number + 1} after {delay:.1f} s (exit {code}): {len(found)} results kept")
            known = found
        rest_time, last = finish(start(*run), folder)
        assert all(results(folder)[entry] == inode for entry, inode in known.items())
        cached_time, cached = finish(start(*run), folder)
    taken = [int(report.pop("timings").get("cached_layers", 0)) for report in (whole, last, cached)]
    texts = {json.dumps(report) for report in (whole, last, cached)}
    print(f"last run: {rest_time:.1f} s, {taken[1]} of {len(whole['layers'])} layers known")
    print(f"once more: {cached_time:.1f} s, {taken[2]} of {len(whole['layers'])} layers known")
    print("reports are equal" if len(texts) == 1 else "REPORTS DIFFER")
    sys.exit(len(texts) != 1)


if __name__ == "__main__":
    main()
