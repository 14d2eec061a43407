"""How far AuCs are from those of the exact grid, at which every sample is run at every level.

    python benchmarks/exact_grid.py [--only GLOB ...] [--seed N]

Audits every shipped network twice, with `--ranks auto` and with `--ranks every`, on the samples and
batches that an audit takes by default. Of each compressor: the mean of the signed difference with
its standard error, of its size, the largest, how often it lies beyond `auc_bound`, and the share of
the runs of a sample through a tail. Writes benchmarks/results/exact_grid.md.
"""

from __future__ import annotations

import argparse
import fnmatch
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from unittest import mock

import numpy as np
from machine import describe, write_page

import onnxmem
from onnxmem import models
from onnxmem.network.split_network import SplitNetwork
from onnxmem.records import Curve

RESULT = Path(__file__).parent / "results" / "exact_grid.md"


def curves(network: models.Network, ranks: str, seed: int) -> tuple[dict[str, Curve], int]:
    """Return the curves of an audit by layer and key, and how many samples went through tails."""
    output, runs = SplitNetwork.output, []

    def counting(split: SplitNetwork, piece: object) -> object:
        runs.append(piece.samples)  # type: ignore[attr-defined]
        return output(split, piece)  # type: ignore[arg-type]

    with mock.patch.object(SplitNetwork, "output", counting):
        report = onnxmem.audit(
            network.path, network.data_path, ranks=ranks, seed=seed, samples=False, device="cpu"
        )
    found = {f"{layer.tensor} {c.key}": c for layer in report.layers for c in layer.curves}
    return found, sum(runs)


def page(chosen: Sequence[models.Network], seed: int) -> Iterator[str]:
    """Yield the lines of the results, measuring on the way."""
    pairs: Mapping[str, list[tuple[str, Curve, Curve]]] = defaultdict(list)
    few_runs = all_runs = 0
    for network in chosen:
        few, some = curves(network, "auto", seed)
        exact, every = curves(network, "every", seed)
        few_runs, all_runs = few_runs + some, all_runs + every
        for key, one in few.items():
            pairs[one.key].append((f"{network.name} {key}", one, exact[key]))
        print(network.name, f"{some / every:.2f} of the runs", flush=True)
    yield "# AuCs beside those of the exact grid"
    yield ""
    yield (
        f"Made by `python benchmarks/exact_grid.py`: {len(chosen)} shipped networks, seed {seed}. "
        f"`auto` runs {few_runs / all_runs:.0%} of the samples through the tails that `every` does."
    )
    yield ""
    yield "| score | curves | mean | standard error | mean size | largest | beyond bound | bound |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for key, found in sorted(pairs.items()):
        off = np.array([one.auc - exact.auc for _, one, exact in found])
        bounds = np.array([one.auc_bound for _, one, _ in found])
        beyond = (np.abs(off) > bounds + 1e-9).mean()
        yield (
            f"| {key} | {len(off)} | {off.mean():+.4f} | {off.std() / len(off) ** 0.5:.4f} | "
            f"{np.abs(off).mean():.4f} | {np.abs(off).max():.4f} | {beyond:.0%} | "
            f"{bounds.mean():.4f} |"
        )
    every_pair = [pair for found in pairs.values() for pair in found]
    name, one, exact = max(every_pair, key=lambda pair: abs(pair[1].auc - pair[2].auc))
    yield ""
    yield f"Farthest: `{name}`, {one.auc:.4f} beside {exact.auc:.4f}."
    about = describe()
    used = ("date", "cpu", "python", "onnxruntime", "numpy")
    yield from ("", ", ".join(f"{key} {about[key]}" for key in used if key in about) + ".")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", default=["*"], help="names of networks")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    shipped = [
        one for one in models.manifest() if any(fnmatch.fnmatch(one.name, p) for p in asked.only)
    ]
    write_page(page(shipped, asked.seed), RESULT)
