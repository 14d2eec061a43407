"""How long do exact neighbours take? Beside the exact index of faiss, in processor time.

    python benchmarks/neighbours.py [--samples 60000] [--layers 10] [--peer-layers 2]

Features of 256 numbers are drawn anew for each layer; every sample is held against all others, as
`onnxmem samples` does. Both sides run in one process, ours on all cores with one thread each, so
that processor time counts all of it. faiss (`pip install faiss-cpu`, extra `peers`) does fewer
layers, since each takes the same. Growth is shown for a quarter of the layers and of the samples.
Writes `benchmarks/results/neighbours.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from machine import describe
from threadpoolctl import threadpool_limits

from onnxmem.neighbours import Directions, nearest

RESULTS = Path(__file__).parent / "results" / "neighbours.json"
FEATURES, NEIGHBOURS = 256, 20


def draw(samples: int, layer: int) -> np.ndarray:
    """Return features in clusters, as those of classes are, (samples, FEATURES) float32."""
    rng = np.random.default_rng(layer)
    centres = rng.standard_normal((10, FEATURES), np.float32)
    return centres[np.arange(samples) % 10] + rng.standard_normal((samples, FEATURES), np.float32)


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """Return what `work` gives, its processor time and the time on the clock."""
    clock, processor = time.perf_counter(), time.process_time()
    result = work()
    return result, time.process_time() - processor, time.perf_counter() - clock


def ours(samples: int, layers: int) -> tuple[np.ndarray, float, float]:
    """Return the neighbours at the last layer, processor time and clock of all layers."""
    own, processor, clock = np.arange(samples), 0.0, 0.0
    with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count()) as pool:
        for layer in range(layers):
            features = draw(samples, layer)

            def work(features: np.ndarray = features) -> np.ndarray:
                directions = Directions.of(features)(features)
                apply = lambda function, items: list(pool.map(function, items))  # noqa: E731
                return nearest(directions, directions, NEIGHBOURS, own, apply).rows

            rows, spent, passed = timed(work)
            processor, clock = processor + spent, clock + passed
    return rows, processor, clock


def theirs(samples: int, layers: int) -> tuple[np.ndarray, float]:
    """Return what faiss finds at the last layer, and the processor time of all layers."""
    import faiss

    processor = 0.0
    for layer in range(layers):
        features = draw(samples, layer)

        def work(features: np.ndarray = features) -> np.ndarray:
            directions = Directions.of(features)(features)
            index = faiss.IndexFlatIP(FEATURES)
            index.add(directions)
            found: np.ndarray = index.search(directions, NEIGHBOURS + 1)[1]
            return found

        rows, spent, _ = timed(work)
        processor += spent
    return rows, processor


def agreement(mine: np.ndarray, other: np.ndarray) -> float:
    """Return the share of samples with the same neighbours, themselves left out."""
    same = [
        set(row) == set(found) - {place} or set(row) == set(found[:-1])
        for place, (row, found) in enumerate(zip(mine.tolist(), other.tolist(), strict=True))
    ]
    return float(np.mean(same))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=60_000)
    parser.add_argument("--layers", type=int, default=10)
    parser.add_argument("--peer-layers", type=int, default=2)
    options = parser.parse_args()
    _, few, _ = ours(options.samples, max(1, options.layers // 4))
    _, small, _ = ours(options.samples // 4, options.layers)
    _, processor, clock = ours(options.samples, options.layers)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    mine, one, _ = ours(options.samples, options.peer_layers)
    last, peer = theirs(options.samples, options.peer_layers)
    found = {
        "samples": options.samples,
        "layers": options.layers,
        "features": FEATURES,
        "processor_s": round(processor, 1),
        "clock_s": round(clock, 1),
        "peak_MiB": round(peak),
        "processor_s_of_peer_layers": round(one, 1),
        "faiss_processor_s_of_peer_layers": round(peer, 1),
        "peer_layers": options.peer_layers,
        "times_faiss": round(one / peer, 2),
        "same_as_faiss": round(agreement(mine, last), 5),
        "growth": {
            "layers": round(processor / few / (options.layers / max(1, options.layers // 4)), 2),
            "samples_times_4": round(processor / small, 1),
        },
        "machine": describe(),
    }
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
