"""Are the activations of networks without a ReLU found? Builds such models, cuts them, and counts.

    python benchmarks/activations.py                        makes, checks, writes the results
    python benchmarks/activations.py --make-into FOLDER     makes only
    python benchmarks/activations.py --folder FOLDER        makes what FOLDER lacks, checks all

What can be made depends on the exporters that are installed (torch and onnxscript, onnxruntime,
tensorflow and tf2onnx, flax and jax2onnx). They do not all fit into one environment: make into one
folder from several, then check once. Which activations there are, and how wide they are, is known
by construction (`activation_models`). The result is `benchmarks/results/activations.md`.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import onnx
from activation_models import MAKERS, Made

RESULTS = Path(__file__).parent / "results" / "activations.md"
TOLERANCE = 1e-4
INTEGER = ("QLinear", "QuantizeLinear")
"""Operators whose results are no activations yet, but integers that stand for them."""

Sites = list[tuple[str, int | None]]


def make(folder: Path, only: str) -> None:
    """Make every model that the installed exporters can make; keep those that are there."""
    for maker in MAKERS:
        try:
            models = importlib.import_module(f"activation_models.{maker}").MODELS
        except ImportError as error:
            print(f"{maker} left out: {error}", flush=True)
            continue
        for name, build in models.items():
            if only in name and not (folder / f"{name}.json").exists():
                try:
                    save(build(), folder, name)
                except Exception as error:  # noqa: BLE001 - exporters fail in their own ways
                    cause = str(error).strip().splitlines() or [""]
                    print(f"{name} not exported: {type(error).__name__}: {cause[0][:150]}")


def save(made: Made, folder: Path, name: str) -> None:
    onnx.save(made.proto, folder / f"{name}.onnx")
    note = {"exporter": made.exporter, "truth": asdict(made.truth)}
    (folder / f"{name}.json").write_text(json.dumps(note), "utf-8")


@dataclass(frozen=True)
class Outcome:
    """What became of one model; `error` where even looking at it failed."""

    name: str
    exporter: str
    built: tuple[tuple[str, int], ...]
    lookalikes: int
    found: tuple[tuple[str, int | None], ...] = ()
    supported: int = 0
    verified: int = 0
    worst: float = 0.0
    reasons: tuple[str, ...] = ()
    error: str = ""

    @property
    def missed(self) -> list[tuple[str, int]]:
        """Sites that were built and not found as what they are, the width of each known."""
        return list((Counter(self.built) - Counter(self.found)).elements())

    @property
    def mistaken(self) -> list[tuple[str, int | None]]:
        """Sites that were found and are none, or others, or of another width."""
        return list((Counter(self.found) - Counter(self.built)).elements())

    @property
    def trouble(self) -> str:
        counts = {
            "missed": sorted(map(str, self.missed)),
            "mistaken": sorted(map(str, self.mistaken)),
            "not verified": self.reasons,
        }
        return self.error or "; ".join(f"{k}: {', '.join(v)}" for k, v in counts.items() if v)


def check(folder: Path, names: Iterable[str]) -> Iterator[Outcome]:
    """Inspect every model with all its cuts run."""
    for name in sorted(names):
        note = json.loads((folder / f"{name}.json").read_text("utf-8"))
        built = tuple((kind, width) for kind, width in note["truth"]["sites"])
        known = (name, note["exporter"], built, note["truth"]["lookalikes"])
        try:
            yield outcome(folder / f"{name}.onnx", *known)
        except Exception as error:  # noqa: BLE001 - counted as a failure, whatever it is
            yield Outcome(*known, error=f"{type(error).__name__}: {error}")


def outcome(path: Path, *known: object) -> Outcome:
    from onnxmem import graph
    from onnxmem.inspecting import Trial, inspect

    made_by = {name: value.producer() for name, value in graph.load(path).flow.values.items()}
    before, result = inspect(path), inspect(path, trial=Trial(device="cpu"))
    good = [site for site in result.sites if site.status == "ok"]
    errors = [site.relative_error for site in good if site.relative_error is not None]
    return Outcome(
        *known,  # type: ignore[arg-type]
        found=tuple(
            (site.kind, width(site))
            for site in result.sites
            if not str(made_by[site.tensor].op_type).startswith(INTEGER)
        ),
        supported=sum(site.status == "ok" for site in before.sites),
        verified=sum(error <= TOLERANCE for error in errors),
        worst=max(errors, default=0.0),
        reasons=tuple(site.reason for site in result.sites if site.status != "ok"),
    )


def width(site: object) -> int | None:
    shape, axis = site.shape, site.feature_axis  # type: ignore[attr-defined]
    return shape[axis] if shape is not None and axis is not None else None


def row(*cells: object) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


HEAD = ("models", "sites built", "found", "missed", "look-alikes", "mistaken", "supported",
        "verified", "worst error")  # fmt: skip


def totals(outcomes: list[Outcome]) -> tuple[object, ...]:
    missed = sum(len(one.missed) for one in outcomes)
    built = sum(len(one.built) for one in outcomes)
    return (
        len(outcomes), built, built - missed, missed, sum(one.lookalikes for one in outcomes),
        sum(len(one.mistaken) for one in outcomes), sum(one.supported for one in outcomes),
        sum(one.verified for one in outcomes),
        f"{max((one.worst for one in outcomes), default=0):.0e}",
    )  # fmt: skip


def page(outcomes: list[Outcome]) -> Iterator[str]:
    """Yield the lines of the results."""
    yield "# Sites of networks without a ReLU"
    yield ""
    yield (
        "Made by `python benchmarks/activations.py`. The activations of every model are known by "
        "construction; a site is *found* where its kind and the number of its features are those "
        "that were built. *Look-alikes* must not be found by default: sigmoids and the like inside "
        "of other activations, gates of squeeze and excitation, softmax of attention, heads. "
        "*Supported* is what reading the graph promises, *verified* what then ran with the joined "
        f"parts within {TOLERANCE:g} of the model's output."
    )
    yield ""
    yield row("exporter", *HEAD)
    yield row("---", *["---:"] * len(HEAD))
    for exporter in sorted({one.exporter for one in outcomes}):
        yield row(exporter, *totals([one for one in outcomes if one.exporter == exporter]))
    yield row("**all**", *totals(outcomes))
    yield from ("", "## By kind", "")
    yield row("kind", "built", "found")
    yield row("---", "---:", "---:")
    built = Counter(kind for one in outcomes for kind, _ in one.built)
    missed = Counter(kind for one in outcomes for kind, _ in one.missed)
    yield from (row(kind, n, n - missed[kind]) for kind, n in sorted(built.items()))
    yield from ("", "## Models that are not as they should be", "")
    wrong = [one for one in outcomes if one.trouble]
    yield from (f"- {one.name}: {one.trouble}" for one in wrong)
    if not wrong:
        yield "None."
    yield from ("", f"{datetime.date.today()}, {versions()}.")


def versions() -> str:
    from importlib import metadata

    names = ("onnxmem", "onnxruntime", "onnx", "onnx-ir", "numpy")
    return ", ".join(f"{name} {metadata.version(name)}" for name in names)


def main() -> None:
    """Make, check, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--make-into", type=Path, metavar="FOLDER", help="only make the models")
    parser.add_argument("--folder", type=Path, metavar="FOLDER", help="keep the models there")
    parser.add_argument("--only", default="", metavar="TEXT", help="models with TEXT in the name")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.make_into or options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        make(folder, options.only)
        if options.make_into:
            return
        names = [path.stem for path in folder.glob("*.json") if options.only in path.stem]
        outcomes = []
        for one in check(folder, names):
            counts = f"{len(one.built) - len(one.missed)} of {len(one.built)} found"
            mark = "BAD" if one.trouble else "ok "
            print(f"{mark} {one.name}: {counts} {one.trouble}", flush=True)
            outcomes.append(one)
    text = "\n".join(page(outcomes)) + "\n"
    print(text)
    if not options.only:
        RESULTS.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
