"""What a cluster of n workers does to many models, from the seconds that a survey measured.

    python -m benchmarks.survey_scale survey.json [--models 10000] [--kills 0.01]

Draws the seconds of each model from those of `survey.json` with replacement, hands the models to
the worker that is free first, as `onnxmem survey` does, and kills the worker of a share of them at
a random moment, whose model begins anew (its measured layers are in the cache; here they count as
lost, so the figures are the worst case).
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
from collections.abc import Sequence
from pathlib import Path

HAND_OUT = 0.002
"""Seconds that the survey itself spends on a model, one after the other: measured, see scale.md."""


def makespan(seconds: Sequence[float], workers: int, kills: float, seed: int) -> float:
    """Return when the last of the models is done."""
    rng = random.Random(seed)
    free = [0.0] * workers
    for place, one in enumerate(seconds):
        begin = max(heapq.heappop(free), place * HAND_OUT)
        lost = one * rng.random() if rng.random() < kills else 0.0
        heapq.heappush(free, begin + lost + one)
    return max(free)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("survey", type=Path)
    parser.add_argument("--models", type=int, default=10_000)
    parser.add_argument("--kills", type=float, default=0.01)
    options = parser.parse_args()
    known = sorted(json.loads(options.survey.read_text())["timings"].values())
    drawn = random.Random(0).choices(known, k=options.models)
    total = sum(drawn)
    print(f"{len(known)} measured: median {known[len(known) // 2]:.1f} s, most {known[-1]:.1f} s")
    print("| workers | hours | of the ideal |")
    print("|---|---|---|")
    for workers in (1, 10, 100, 1000):
        took = makespan(drawn, workers, options.kills, seed=1)
        print(f"| {workers:,} | {took / 3600:.2f} | {total / workers / took:.0%} |")


if __name__ == "__main__":
    main()
