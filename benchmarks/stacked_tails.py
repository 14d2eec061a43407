"""What it gains to run the tail once on the activations of several batches and ranks.

    python benchmarks/stacked_tails.py [--device cpu|cuda]

First single cuts: the tails of shipped networks and of one shaped like ResNet-50 take ten variants
of a batch's activations, in ten runs and in one, on the single thread that an audit gives a
session. Both are the fastest of several runs, taken in turn; *same bits* tells whether all outputs
agree to the last one. These rows say up to what size stacks pay on a device, which
`onnxmem.network.memory` holds as a constant. Then whole audits, which stack up to that size, and
the same with stacks forbidden, in turn: the seconds of their tails, and of all. Prints a page and
writes it, with the machine and the versions, to benchmarks/results/.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from unittest import mock

import network_shapes
import numpy as np
from machine import describe, write_page

import onnxmem
from onnxmem import graph, models
from onnxmem.arrays import Array, to_host
from onnxmem.data import load, make_samples
from onnxmem.network import layer_run
from onnxmem.records import Report
from onnxmem.runtime import Device, Session, select_device

RESULT = Path(__file__).parent / "results" / "stacked_tails.md"
SHIPPED = {"mnist-cnn-p00": 9, "mnist1d-mlp-p00": 3, "vowels-mlp-p00": 3}
VARIANTS, TURNS = 10, 3


def cases(folder: Path) -> Iterator[tuple[str, graph.Model, np.ndarray, list[str]]]:
    """Yield networks by name, with one batch of samples and the sites to cut at."""
    for name, count in SHIPPED.items():
        shipped = models.network(name)
        model = graph.load(shipped.path)
        samples = make_samples(load(shipped.data_path), model.inputs)
        (x,) = samples.inputs.values()
        yield name, model, x[:30], spread(model, count)
    images, labels = network_shapes.images(4, 1, 224)
    path = folder / "resnet50.onnx"
    network_shapes.make(network_shapes.resnet50, path, images, labels)
    model = graph.load(path)
    yield "ResNet-50-shaped", model, images, spread(model, 4)


def spread(model: graph.Model, count: int) -> list[str]:
    """Return the names of so many sites, from the first to the last."""
    found = [site.tensor for site in graph.find_sites(model) if site.status == "ok"]
    return [found[place] for place in np.linspace(0, len(found) - 1, count).round().astype(int)]


def fastest(*works: Callable[[], object]) -> list[float]:
    """Return the seconds of each, the least of several turns."""
    best = [float("inf")] * len(works)
    for _ in range(TURNS):
        for number, work in enumerate(works):
            begin = time.perf_counter()
            work()
            best[number] = min(best[number], time.perf_counter() - begin)
    return best


def measured(device: Device, cut: graph.Cut, x: np.ndarray) -> tuple[float, float, bool]:
    """Return the seconds of a tail apart and together, and whether the outputs are the same."""
    xp = device.namespace
    head, tail = Session(cut.head, device), Session(cut.tail, device)
    given = {head.inputs[0].name: xp.asarray(x)}
    names = (cut.tensor, *cut.crossing)
    feeds = dict(zip(names, head.run(given, names), strict=True))
    feeds |= {name: given[name] for name in cut.direct}
    tensor = feeds.pop(cut.tensor)
    variants = [tensor * xp.float32(1 - place / 20) for place in range(VARIANTS)]
    stacked = {name: xp.concatenate([one] * VARIANTS) for name, one in feeds.items()}
    stacked[cut.tensor] = xp.concatenate(variants)

    def apart() -> list[Array]:
        return [to_host(tail.run({**feeds, cut.tensor: one})[0]) for one in variants]

    def together() -> Array:
        return to_host(tail.run(stacked)[0])

    same = np.array_equal(np.concatenate(apart()), together())
    one, other = fastest(apart, together)
    return one, other, same


def rows(device: Device, model: graph.Model, x: np.ndarray, sites: Sequence[str]) -> Iterator[str]:
    """Measure each cut of one network."""
    for site in sites:
        one, other, same = measured(device, graph.split(model, site), x)
        yield (
            f"| `{site}` | {1e3 * one:.2f} | {1e3 * other:.2f} | {one / other:.2f} | "
            f"{'yes' if same else 'no'} |"
        )


def audited(name: str, device: Device, *, stacked: bool) -> Report:
    """Audit a shipped network with all compressors, on all batches."""
    shipped = models.network(name)
    data = load(shipped.data_path)
    used = layer_run.largest_stack if stacked else lambda on_gpu: 0
    with mock.patch.object(layer_run, "largest_stack", used):
        return onnxmem.audit(shipped.path, data["x"], data["y"], device=device.name)


def audits(device: Device) -> Iterator[str]:
    """Measure whole audits, without stacks and with them."""
    yield from ("", "## Whole audits (NMF, PCA, ablation; both kinds of batches)", "")
    yield "| network | tails apart, s | tails stacked, s | all apart, s | all stacked, s | same |"
    yield "| --- | ---: | ---: | ---: | ---: | --- |"
    for name in SHIPPED:
        audited(name, device, stacked=True)
        runs = [
            [audited(name, device, stacked=stacked) for stacked in (False, True)]
            for _ in range(TURNS)
        ]
        same = all(one.layers == other.layers for one, other in runs)
        tails, totals = (
            [min(seconds(turn[which]) for turn in runs) for which in (0, 1)]
            for seconds in (lambda report: report.timings["tail"], elapsed)
        )
        cells = [f"{value:.2f}" for value in (*tails, *totals)]
        yield f"| {name} | {' | '.join(cells)} | {'yes' if same else 'no'} |"


def elapsed(report: Report) -> float:
    """Return the seconds of all stages."""
    return sum(report.timings.values())


def page(device: Device) -> Iterator[str]:
    """Yield the lines of the results, measuring on the way."""
    yield "# Tails of ten ranks in one run"
    yield ""
    yield (
        f"Made by `python benchmarks/stacked_tails.py`: {VARIANTS} variants of one batch through "
        "the tail, in as many runs and stacked into one."
    )
    with tempfile.TemporaryDirectory() as folder:
        for name, model, x, sites in cases(Path(folder)):
            yield from ("", f"## {name}, {len(x)} samples in a batch", "")
            yield "| cut at | apart, ms | together, ms | gain | same bits |"
            yield "| --- | ---: | ---: | ---: | --- |"
            yield from rows(device, model, x, sites)
    yield from audits(device)
    about = describe()
    used = ("date", "cpu", "python", "onnxruntime", "onnxruntime-gpu", "numpy")
    found = [f"{key} {about[key]}" for key in used if key in about]
    yield from ("", f"{device.name}; {', '.join(found)}.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    chosen = select_device(parser.parse_args().device)
    with chosen.scope():
        write_page(page(chosen), RESULT)
