"""What it costs and saves to spread one audit over worker processes of this machine.

    python -m benchmarks.spread_audit [MODEL DATA] [--workers 1 2] [--rounds 3] [-- OPTIONS ...]

Audits without a cache, alone and with so many workers, in turn; prints the wall clock and the
processor time of all processes together, and fails if a report differs in more than its times. An
audit alone already works on as many batches at once as there are cores.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import onnxmem.models as models


def audit(words: list[str], path: Path) -> tuple[float, float, str]:
    """Return seconds of the wall clock, of all processors, and the report without its times."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-P", "-m", "onnxmem", "audit", *words, "--no-cache", "-q"]
    subprocess.run([*command, "--json", str(path)], check=True)
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    values = json.loads(path.read_text("utf-8"))
    values.pop("timings")
    return wall, used, json.dumps(values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    network = models.network("mnist-cnn-p40")
    parser.add_argument("model", nargs="?", default=str(network.path))
    parser.add_argument("data", nargs="?", default=str(network.data_path))
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--options", default="", help="of the audit, in one word")
    arguments = parser.parse_args()
    asked = [arguments.model, "--data", arguments.data, *arguments.options.split()]
    ways = {"alone": asked}
    ways |= {f"{n} workers": [*asked, "--workers", str(n)] for n in arguments.workers}
    found: dict[str, list[tuple[float, float, str]]] = {name: [] for name in ways}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(arguments.rounds):
            for name, words in ways.items():
                found[name].append(audit(words, Path(folder) / "report.json"))
    known = {text for runs in found.values() for _, _, text in runs}
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.0f}, {arguments.rounds} rounds")
    print("| | wall clock, s | processor time, s |")
    print("|---|---|---|")
    for name, runs in found.items():
        columns = ([run[place] for run in runs] for place in (0, 1))
        cells = (f"{statistics.median(c):.1f} ({min(c):.1f} to {max(c):.1f})" for c in columns)
        print(f"| {name} | {' | '.join(cells)} |")
    print("all reports are the same" if len(known) == 1 else "REPORTS DIFFER")
    sys.exit(len(known) != 1)


if __name__ == "__main__":
    main()
