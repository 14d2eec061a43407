"""Are the gradients of exported models right? Takes those of the corpus, and compares.

    python benchmarks/gradients.py                   makes the corpus, checks, writes the results
    python benchmarks/gradients.py --folder FOLDER   checks the models that `corpus.py` made there

For each model gradients are taken of all its outputs, with respect to its inputs, to all its ReLU
sites and to all its weights, each of these for every sample. They are held against differences of
the network in float64, run by onnx's reference evaluator, and where PyTorch made the model, against
PyTorch. The result is `benchmarks/results/gradients.md`. Needs torch for that and for the speed.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from corpus import make
from gradients_speed import HERE, TOLERANCE, row, speed
from machine import describe, write_page

from onnxmem import graph
from onnxmem.errors import InconclusiveError, NoGradientError, OnnxmemError, UsageError
from onnxmem.gradients import (
    Backward,
    Gradients,
    find_weights,
    served,
    why_not,
)
from onnxmem.gradients.plan import make_plan
from onnxmem.gradients.weights import plain
from onnxmem.inspecting.feeds import find_inputs

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from doubled import Movable

RESULTS = Path(__file__).parent / "results" / "gradients.md"
FLOATS = ("float16", "float32", "float64")


@dataclass(frozen=True)
class Outcome:
    """What became of one model.

    Attributes:
        tensors, weights: how many gradients were taken, with respect to which.
        error: the largest deviation from differences, None where there are none.
        torch_error: the largest one from PyTorch, None where it did not make the model.
        unshared: tensors that do not keep samples apart, whose gradients were checked as a whole.
        refused: the operators that no gradient passes.
        sites: of a refused model, how many of its sites are served and how many there are.
        trouble: what went wrong instead.
    """

    name: str
    exporter: str
    tensors: int = 0
    weights: int = 0
    error: float | None = None
    torch_error: float | None = None
    unshared: int = 0
    refused: tuple[str, ...] = ()
    sites: tuple[int, int] = (0, 0)
    trouble: str = ""

    @property
    def served(self) -> bool:
        return not self.refused and not self.trouble

    @property
    def wrong(self) -> bool:
        errors = [one for one in (self.error, self.torch_error) if one is not None]
        return self.served and any(not one <= TOLERANCE for one in errors)


@dataclass(frozen=True)
class Subject:
    """A model with inputs, and all that gradients are taken of and with respect to."""

    name: str
    model: graph.Model
    feeds: Mapping[str, np.ndarray]
    outputs: list[str]
    tensors: list[str]
    weights: list[str]


def subject(path: Path, bind: Mapping[str, float]) -> Subject:
    model = plain(graph.load(path, bind))
    outputs = [spec.name for spec in model.outputs if spec.dtype in FLOATS]
    inputs = [spec.name for spec in model.inputs if spec.dtype in FLOATS]
    sites = [site.tensor for site in graph.find_sites(model) if site.status == "ok"]
    feeds = find_inputs(model, None, HERE).batch(model)
    weights = [weight.name for weight in find_weights(model)]
    return Subject(path.stem, model, feeds, outputs, [*dict.fromkeys([*inputs, *sites])], weights)


def check(folder: Path, names: Iterable[str]) -> Iterator[Outcome]:
    for name in sorted(names):
        note = json.loads((folder / f"{name}.json").read_text("utf-8"))
        exporter = note["exporter"]
        try:
            found = subject(folder / f"{name}.onnx", dict(note["truth"]["bind"]))
            yield outcome(found, exporter)
        except OnnxmemError as error:
            yield Outcome(name, exporter, trouble=f"{type(error).__name__}: {error}")
        except Exception as error:  # noqa: BLE001 - counted as a failure, whatever it is
            yield Outcome(name, exporter, trouble=f"crash, {type(error).__name__}: {error}")


def outcome(given: Subject, exporter: str) -> Outcome:
    tensors = [name for name in given.tensors if leads(given, wrt=[name])]
    weights = [name for name in given.weights if leads(given, weights=[name])]
    try:
        made = Gradients(given.model, HERE, given.outputs, wrt=tensors, weights=weights)
    except NoGradientError as error:
        operators = re.findall(r"([\w.]+) '", str(error).partition(" passes ")[2])
        return Outcome(
            given.name, exporter, refused=tuple(sorted({*operators})), sites=served_sites(given)
        )
    forward = made.run(given.feeds)
    rng = np.random.default_rng(0)
    seeds = [rng.normal(size=one.shape).astype(one.dtype) for one in forward.outputs]
    backward = forward.backward(*seeds)
    checked = Checked(given, backward, seeds, rng)
    return Outcome(
        given.name,
        exporter,
        len(tensors),
        len(weights),
        None if is_random(given.model) else checked.against_differences(tensors, weights),
        against_torch(given, backward, seeds),
        checked.unshared,
    )


def leads(given: Subject, **what: list[str]) -> bool:
    """Tell whether an output depends on something, in a way that would have a gradient."""
    try:
        make_plan(given.model, given.outputs, what.get("wrt", []), what.get("weights", []))
    except UsageError:
        return False
    except NoGradientError:
        return True
    return True


def served_sites(given: Subject) -> tuple[int, int]:
    """Return how many sites are served by themselves, of how many there are."""
    sites = [site.tensor for site in graph.find_sites(given.model) if site.status == "ok"]
    count = sum(not why_not(given.model, given.outputs, wrt=[site]) for site in sites)
    return count, len(sites)


def is_random(model: graph.Model) -> bool:
    return any(step.operator.op.startswith("Random") for step in graph.steps(model))


class Checked:
    """Holds the gradients of a batch against differences."""

    def __init__(
        self,
        given: Subject,
        backward: Backward,
        seeds: list[np.ndarray],
        rng: np.random.Generator,
    ) -> None:
        self.given, self.backward, self.seeds, self.rng = given, backward, seeds, rng
        self.unshared = 0

    def against_differences(self, tensors: list[str], weights: list[str]) -> float:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "plain.onnx"
            graph.save(self.given.model, path)
            proto = onnx.load(path)
        movable = Movable(proto, self.given.outputs, [*tensors, *weights])
        errors = [self._of_tensor(movable, name) for name in tensors]
        errors += [self._of_weight(movable, name) for name in weights]
        return max(errors, default=0.0)

    def _of_tensor(self, movable: Movable, name: str) -> float:
        """Compare for every sample; what is 0 may be a kink, and is not moved."""
        whole = self.backward.arrays[name]
        value = self.backward.tensors[name]
        direction = self.rng.normal(size=whole.shape) * (value != 0)
        expected = movable.derivative(self.given.feeds, name, direction, self.seeds)
        scale = float(np.abs(whole).max(initial=0)) * np.sqrt(whole.size) + 1e-12
        try:
            layout = self.backward.layout(name)
            samples = self.backward.samples
            products = layout.first(whole * direction, samples).reshape(samples, -1).sum(axis=1)
        except InconclusiveError:
            self.unshared += 1
            products, expected = (whole * direction).sum(), expected.sum()
        return float(np.abs(products - expected).max() / scale)

    def _of_weight(self, movable: Movable, name: str) -> float:
        """Compare the gradient of every sample, their norms and a sum of them."""
        try:
            gradients = self.backward.weight(name)
            each = gradients.each().astype(np.float64)
        except InconclusiveError:
            self.unshared += 1
            return 0.0
        direction = self.rng.normal(size=gradients.weight.shape)
        expected = movable.derivative(self.given.feeds, name, direction, self.seeds)
        flat = each.reshape(len(each), -1)
        scale = np.abs(flat).max() * np.sqrt(flat.shape[1]) + 1e-12
        squares = (flat * flat).sum(axis=1)
        coefficients = self.rng.normal(size=(1, len(each)))
        sums = gradients.sums(coefficients)[0] - np.tensordot(coefficients[0], each, 1)
        return float(
            max(
                np.abs(flat @ direction.ravel() - expected).max() / scale,
                np.abs(gradients.squared_norms() - squares).max() / (squares.max() + 1e-12),
                np.abs(sums).max() / scale,
            )
        )


def against_torch(given: Subject, backward: Backward, seeds: list[np.ndarray]) -> float | None:
    """Return the largest deviation from PyTorch at the inputs, None where it made no such model."""
    module = torch_module(given.name)
    if module is None:
        return None
    import torch

    fed = {name: torch.tensor(array) for name, array in given.feeds.items()}
    for tensor in fed.values():
        tensor.requires_grad_(tensor.is_floating_point())
    made = module(*fed.values())
    outputs = made if isinstance(made, tuple) else (made,)
    total = sum((a * torch.tensor(b)).sum() for a, b in zip(outputs, seeds, strict=True))
    total.backward()
    errors = [0.0]
    for name, tensor in fed.items():
        if tensor.grad is not None and name in backward.arrays:
            theirs = tensor.grad.numpy()
            gap = np.abs(backward.arrays[name] - theirs).max()
            errors.append(float(gap / (np.abs(theirs).max() + 1e-12)))
    return max(errors)


def torch_module(name: str) -> Any:
    """Return the module that a model of the corpus was exported from, None where it is another."""
    try:
        from corpus_models.torch_models import network
    except ImportError:
        return None
    from corpus_models.network import ARCHITECTURES

    match = re.fullmatch(
        r"(?:torchscript|dynamo|external-dynamo|external|ort-basic|ort-extended)-(\w+?)"
        r"(?:-opset\d+|-static\d+)?", name,
    )  # fmt: skip
    return network(match[1]).module if match and match[1] in ARCHITECTURES else None


def largest(errors: Iterable[float | None]) -> str:
    known = [one for one in errors if one is not None]
    return f"{max(known):.0e}" if known else "–"


HEAD = ("models", "served", "refused", "wrong", "tensors", "weights", "checked by differences",
        "largest error", "checked by PyTorch", "largest error")  # fmt: skip


def totals(outcomes: list[Outcome]) -> tuple[object, ...]:
    fine = [one for one in outcomes if one.served]
    return (
        len(outcomes), len(fine), sum(bool(one.refused) for one in outcomes),
        sum(one.wrong or bool(one.trouble) for one in outcomes),
        sum(one.tensors for one in fine), sum(one.weights for one in fine),
        sum(one.error is not None for one in fine), largest(one.error for one in fine),
        sum(one.torch_error is not None for one in fine),
        largest(one.torch_error for one in fine),
    )  # fmt: skip


def page(outcomes: list[Outcome]) -> Iterator[str]:
    """Yield the lines of the results."""
    yield "# Gradients of exported models"
    yield ""
    yield (
        "Made by `python benchmarks/gradients.py`. *Served* models have the gradients of all their "
        "outputs with respect to all inputs, ReLU sites and weights that lead to them, or to "
        "whatever of these there is. *Checked by differences*: of the network in float64, run by "
        "onnx's reference evaluator, in a random direction for each tensor and each weight, "
        "sample by sample. *Checked by PyTorch*: at the inputs, where it made the model. Errors "
        f"are relative to the largest gradient; *wrong* is what is off by more than {TOLERANCE:g}, "
        "or fails."
    )
    yield ""
    yield row("exporter", *HEAD)
    yield row("---", *["---:"] * len(HEAD))
    for exporter in sorted({one.exporter for one in outcomes}):
        yield row(exporter, *totals([one for one in outcomes if one.exporter == exporter]))
    yield row("**all**", *totals(outcomes))
    unshared = [one.name for one in outcomes if one.unshared]
    yield ""
    yield (
        f"{len(served())} operators have a rule. In {len(unshared)} models some tensors do not "
        f"keep samples apart ({', '.join(unshared)}); gradients of these were checked as a whole, "
        "and weights that act on them left out."
    )
    yield from ("", "## What is refused", "")
    yield row("operators that no gradient passes", "models", "sites served all the same")
    yield row("---", "---:", "---:")
    refused = [one for one in outcomes if one.refused]
    for operators, count in Counter(one.refused for one in refused).most_common():
        those = [one.sites for one in refused if one.refused == operators]
        both = f"{sum(a for a, _ in those)} of {sum(b for _, b in those)}"
        yield row(", ".join(operators), count, both)
    yield from ("", "## Models that are wrong", "")
    wrong = [one for one in outcomes if one.wrong or one.trouble]
    yield from (
        f"- {one.name}: {one.trouble or f'{one.error} by differences, {one.torch_error} by torch'}"
        for one in wrong
    )
    if not wrong:
        yield "None."
    yield from ("", *speed(), "", footer())


def footer() -> str:
    machine = describe()
    names = ("python", "onnxruntime", "onnx", "numpy")
    found = [f"{name} {machine[name]}" for name in names if name in machine]
    try:
        import torch
    except ImportError:
        pass
    else:
        found.append(f"torch {torch.__version__}")
    load_now = f"load {machine['load']} at the end"
    return f"{datetime.date.today()}, {machine['cpu']}, {', '.join(found)}; {load_now}."


def main() -> None:
    """Make what lacks, check, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, metavar="FOLDER", help="keep the models there")
    parser.add_argument("--only", default="", metavar="TEXT", help="models with TEXT in the name")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if not options.only:
            make(folder)
        names = [path.stem for path in folder.glob("*.json") if options.only in path.stem]
        outcomes = []
        for one in check(folder, names):
            mark = "BAD" if one.wrong or one.trouble else "ok " if one.served else "-- "
            print(mark, one, flush=True)
            outcomes.append(one)
    if options.only:
        print("\n".join(page(outcomes)))
    else:
        write_page(page(outcomes), RESULTS)


if __name__ == "__main__":
    main()
