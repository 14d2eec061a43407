"""What the sandbox costs: the same command with and without, in pairs, wall clock and processor.

    python benchmarks/sandbox_overhead.py [--pairs N] [--out FILE]

Each pair runs both sides one after the other, and every other pair the other way round, so that a
machine that is busy for a while is so for both. The cache is off, so that everything is measured.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import onnxmem.models as models
from machine import describe, write_page

SIDES = ("--sandbox", "--no-sandbox")
OUT = Path(__file__).parent / "results" / "sandbox_overhead.md"


def run(words: list[str], side: str, folder: Path) -> tuple[float, float]:
    """Return the seconds of the wall clock, and of the processors, that a command takes."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    line = [sys.executable, "-m", "onnxmem", *words, side]
    environment = os.environ | {"ONNXMEM_CACHE_SIZE": "0"}
    subprocess.run(line, check=True, cwd=folder, env=environment, stdout=-3, stderr=-3)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def pairs(words: list[str], count: int) -> list[list[tuple[float, float]]]:
    """Return what both sides took, pair by pair."""
    found = []
    with tempfile.TemporaryDirectory() as name:
        for side in SIDES:
            run(words, side, Path(name))
        for number in range(count):
            order = SIDES if number % 2 else SIDES[::-1]
            taken = {side: run(words, side, Path(name)) for side in order}
            found.append([taken[side] for side in SIDES])
    return found


def rows(name: str, words: list[str], count: int) -> Iterator[str]:
    found = pairs(words, count)
    for unit, place in (("wall clock", 0), ("processor", 1)):
        inside, outside = ([pair[side][place] for pair in found] for side in (0, 1))
        more = statistics.median(a - b for a, b in zip(inside, outside, strict=True))
        share = more / statistics.median(outside)
        low, high = min(inside), min(outside)
        yield (
            f"| {name}, {unit} | {statistics.median(outside):.2f} s | "
            f"{statistics.median(inside):.2f} s | {more:+.3f} s | {share:+.1%} | "
            f"{low - high:+.3f} s |"
        )


def page(count: int) -> Iterator[str]:
    yield "# What the sandbox costs\n"
    yield f"Medians of {count} pairs; `python benchmarks/sandbox_overhead.py --pairs {count}`.\n"
    yield "| command | without | with | more (median of pairs) | share | fastest of each |"
    yield "|---|---|---|---|---|---|"
    network = models.network("vowels-mlp-p20")
    image = models.network("mnist-cnn-p00")
    yield from rows("inspect", ["inspect", str(image.path), "-q"], count)
    data = ["--data", str(network.data_path), "-q", "--json", "r.json"]
    yield from rows("audit, defaults", ["audit", str(network.path), *data], count)
    told = describe()
    yield f"\n{', '.join(f'{key}: {value}' for key, value in told.items())}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    write_page(page(arguments.pairs), arguments.out)


if __name__ == "__main__":
    main()
