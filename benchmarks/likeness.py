"""How alike are two networks that learned the same labels from different starts?

    python benchmarks/likeness.py FOLDER

Two trainings for each share p of random labels, with other initial weights and batches: those in
FOLDER are taken, those that are not there are trained and put there (`pip install
"onnxmem[train]"`; minutes). Held-out inputs alone. Writes `benchmarks/results/likeness.md`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from machine import describe, write_page

from onnxmem.comparing.likeness import (
    kappa,
    linear_cka,
    nearest_others,
    neighbour_overlap,
)
from onnxmem.findings.likeness import ALIKE_CKA, ALIKE_KAPPA, APART_CKA, APART_KAPPA
from onnxmem.neighbours.search import one_by_one
from onnxmem.network.outputs import logits

RESULTS = Path(__file__).parent / "results" / "likeness.md"
SHARES = {
    "vowels-mlp": (0.0, 0.2, 0.4, 0.6, 0.8, 1.0),
    "mnist1d-mlp": (0.0, 0.2, 0.4, 0.6, 0.8, 1.0),
}
MOST = 1000
"""Held-out inputs."""


@dataclass(frozen=True)
class Pair:
    """Two networks with the same labels on held-out inputs."""

    family: str
    p: float
    inputs: int
    kappa: float
    cka: float
    last: float
    first: float
    overlap: float
    accuracy: tuple[float, float]

    @property
    def said(self) -> str:
        if self.kappa >= ALIKE_KAPPA and self.cka >= ALIKE_CKA:
            return "alike"
        return "apart" if self.kappa <= APART_KAPPA and self.cka <= APART_CKA else ""


def paths(folder: Path, family: str, p: float) -> list[Path]:
    return [folder / f"{family}-p{round(100 * p):02d}-i{init}.onnx" for init in (1, 2)]


def train(folder: Path, family: str, p: float) -> None:
    """Train what is missing of a pair."""
    from onnxmem.models.recipes.datasets import noisy_labels
    from onnxmem.models.recipes.families import FAMILIES
    from onnxmem.models.recipes.files import write_onnx
    from onnxmem.models.recipes.training import be_deterministic, epochs

    recipe = next(one for one in FAMILIES if one.name == family)
    data = recipe.dataset()
    held = data.heldout[:MOST]
    np.savez(folder / f"{family}-held.npz", x=data.x[held], y=data.y[held])
    given = noisy_labels(data, p, 0)[data.train]
    for init, path in enumerate(paths(folder, family, p), start=1):
        if not path.exists():
            be_deterministic(init)
            *_, last = epochs(recipe.network(), data.x[data.train], given, recipe.schedule)
            write_onnx(last.network, data.x.shape[1:], path)


def activations(path: Path, x: np.ndarray) -> list[np.ndarray]:
    """Return the first and the last ReLU, and the logits (inputs, features)."""
    model = onnx.load(path)
    relus = [node.output[0] for node in model.graph.node if node.op_type == "Relu"]
    names = [relus[0], relus[-1], "logits"]
    for name in names[:2]:
        model.graph.output.append(onnx.helper.make_tensor_value_info(name, 1, None))
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    parts = [session.run(names, {"x": x[k : k + 100]}) for k in range(0, len(x), 100)]
    return [np.concatenate(one).reshape(len(x), -1) for one in zip(*parts, strict=True)]


def measure(folder: Path, family: str, p: float) -> Pair:
    with np.load(folder / f"{family}-held.npz") as held:
        x, y = held["x"][:MOST], held["y"][:MOST]
    one, two = (activations(path, x) for path in paths(folder, family, p))
    answers = [found[-1].argmax(axis=1) for found in (one, two)]
    agreement = kappa(answers[0], answers[1], 0)
    assert agreement is not None
    tops = [logits(found[-1], "linear") for found in (one, two)]
    ckas = [linear_cka(*pair) for pair in (tops, (one[1], two[1]), (one[0], two[0]))]
    near = [nearest_others(top, one_by_one) for top in tops]
    right = [float((found == y).mean()) for found in answers]
    return Pair(
        *(family, p, len(x), agreement.value),
        *(value or 0.0 for value in ckas),
        neighbour_overlap(*near),
        (right[0], right[1]),
    )


def page(folder: Path) -> Iterator[str]:
    yield "# Two starts, the same labels"
    yield ""
    yield "Made by `python benchmarks/likeness.py`. Networks of the shipped recipes, trained twice"
    yield "on labels of which a share p is random, with other initial weights and batches; held-out"
    yield "inputs. *Said* is what the thresholds of `onnxmem compare` make of it; besides, *alike*"
    yield "needs a memorized share of at most a fifth, and *apart* training accuracies of 0.9."
    yield ""
    yield (
        "| family | p | inputs | κ | CKA, logits | last ReLU | first ReLU | neighbours, logits "
        "| said | held-out accuracies |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    pairs = []
    for family, shares in SHARES.items():
        for p in shares:
            train(folder, family, p)
            one = measure(folder, family, p)
            pairs.append(one)
            numbers = (one.kappa, one.cka, one.last, one.first, one.overlap)
            yield (
                f"| `{family}` | {p:g} | {one.inputs} | "
                f"{' | '.join(f'{value:.2f}' for value in numbers)} | {one.said} | "
                f"{one.accuracy[0]:.2f}, {one.accuracy[1]:.2f} |"
            )
    yield ""
    for family in SHARES:
        own = [one for one in pairs if one.family == family]
        first, last = own[0], own[-1]
        yield (
            f"- `{family}`: from p = {first.p:g} to {last.p:g} CKA of the logits falls by "
            f"{first.cka - last.cka:.2f}, κ by {first.kappa - last.kappa:.2f}."
        )
    wrong = [one for one in pairs if one.said == "apart" and one.p == 0]
    wrong += [one for one in pairs if one.said == "alike" and one.p == 1]
    yield f"- Said of true labels *apart*, or of random ones *alike*: {len(wrong)} pairs."
    told = describe()
    yield ""
    yield f"{told['date']}, {told['cpu']}, onnxruntime {told.get('onnxruntime', '')}."


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    write_page(page(given.folder), RESULTS)
