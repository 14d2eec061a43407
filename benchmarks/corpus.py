"""Can every exported model be taken apart? Builds a corpus, cuts every ReLU of it, and counts.

    python benchmarks/corpus.py                        makes, checks, writes the results
    python benchmarks/corpus.py --make-into FOLDER     makes only
    python benchmarks/corpus.py --folder FOLDER        makes what FOLDER lacks, checks all of it

What can be made depends on the exporters that are installed (torch and onnxscript, skl2onnx,
tensorflow and tf2onnx, flax and jax2onnx, paddlepaddle and paddle2onnx). They do not all fit into
one environment: make into one folder from several, then check once. How many ReLUs there are, and
how wide they are, is known by construction (`corpus_models`), so what is missed and what is
mistaken for a ReLU is counted, not guessed. The result is `benchmarks/results/corpus.md`.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import onnx
from corpus_models import MAKERS, Made, Truth

RESULTS = Path(__file__).parent / "results" / "corpus.md"
TOLERANCE = 1e-4
SAMPLES = 24


def make(folder: Path) -> None:
    """Make every model that the installed exporters can make; keep those that are there."""
    for maker in MAKERS:
        try:
            models = importlib.import_module(f"corpus_models.{maker}").MODELS
        except ImportError as error:
            print(f"{maker} left out: {error}", flush=True)
            continue
        for name, build in models.items():
            if not (folder / f"{name}.json").exists():
                try:
                    save(build(), folder, name)
                except Exception as error:  # noqa: BLE001 - exporters fail in their own ways
                    cause = str(error).strip().splitlines() or [""]
                    print(f"{name} not exported: {type(error).__name__}: {cause[0][:150]}")


def save(made: Made, folder: Path, name: str) -> None:
    options = {"save_as_external_data": True, "location": f"{name}.data", "size_threshold": 0}
    onnx.save(made.proto, folder / f"{name}.onnx", **(options if made.external else {}))
    note = {"exporter": made.exporter, "truth": asdict(made.truth)}
    (folder / f"{name}.json").write_text(json.dumps(note), "utf-8")


@dataclass(frozen=True)
class Outcome:
    """What became of one model; `error` where even looking at it failed."""

    name: str
    exporter: str
    truth: Truth
    widths: tuple[int, ...] = ()
    found: int = 0
    supported: int = 0
    verified: int = 0
    exact: int = 0
    exact_verified: int = 0
    worst: float = 0.0
    reasons: tuple[str, ...] = ()
    unexplained: int = 0
    wrong_samples: int = 0
    audited: str = ""
    error: str = ""

    @property
    def expected(self) -> int:
        return len(self.truth.widths)

    @property
    def missed(self) -> int:
        return max(0, self.expected - self.found)

    @property
    def invented(self) -> int:
        return max(0, self.found - self.expected)

    @property
    def wrong_axis(self) -> int:
        """Sites whose feature axis does not have the width that was built."""
        left = Counter(self.widths) - Counter(self.truth.widths)
        return sum(left.values()) if not self.invented else 0

    @property
    def refused_too_much(self) -> int:
        return max(0, self.found - self.supported - self.truth.closed)

    @property
    def fine(self) -> bool:
        wrong = self.missed + self.invented + self.wrong_axis + self.unexplained
        wrong += self.wrong_samples + self.audited.startswith("crash")
        return not (self.error or wrong or self.verified < self.supported or self.refused_too_much)


def check(folder: Path, names: Iterable[str]) -> Iterator[Outcome]:
    """Inspect every model with all its cuts run, once as it is and once in exact mode."""
    for name in sorted(names):
        note = json.loads((folder / f"{name}.json").read_text("utf-8"))
        truth = Truth(**note["truth"] | {"widths": tuple(note["truth"]["widths"])})
        try:
            yield outcome(folder / f"{name}.onnx", name, note["exporter"], truth)
        except Exception as error:  # noqa: BLE001 - counted as a failure, whatever it is
            yield Outcome(name, note["exporter"], truth, error=f"{type(error).__name__}: {error}")


def outcome(path: Path, name: str, exporter: str, truth: Truth) -> Outcome:
    from onnxmem.inspecting import Trial, inspect

    bind = dict(truth.bind)
    relus = partial(inspect, path, kinds=("relu",), bind=bind)
    result = relus(trial=Trial(device="cpu"))
    exact = relus(trial=Trial(device="cpu", exact=True))
    before = relus()
    good = [site for site in result.sites if site.status == "ok"]
    ran = result.verified
    telling = ran and ran.samples > 1 and not any(site.whole_batch for site in result.sites)
    errors = [site.relative_error for site in good if site.relative_error is not None]
    promised = sum(site.status == "ok" for site in before.sites)
    widths = [
        site.shape[site.feature_axis]
        for site in good
        if site.shape is not None and site.feature_axis is not None
    ]
    return Outcome(
        name=name,
        exporter=exporter,
        truth=truth,
        widths=tuple(width for width in widths if width is not None),
        found=len(result.sites),
        supported=promised,
        verified=sum(error <= TOLERANCE for error in errors),
        exact=sum(site.status == "ok" and site.relative_error == 0 for site in exact.sites),
        exact_verified=sum(site.status == "ok" for site in exact.sites),
        worst=max(errors, default=0.0),
        reasons=tuple(site.reason for site in result.sites if site.status != "ok"),
        unexplained=sum(site.status != "ok" and not site.reason for site in result.sites)
        + sum(site.feature_axis is None for site in good),
        wrong_samples=int(bool(telling) and (ran.sample_axis == 0) != truth.samples),
        audited=audit(path, bind),
    )


def audit(path: Path, bind: dict[str, float]) -> str:
    """Audit a model on random samples with random labels; return how that ends."""
    from onnxmem import graph
    from onnxmem.auditing import Settings, run_audit
    from onnxmem.errors import OnnxmemError
    from onnxmem.inspecting.feeds import find_inputs
    from onnxmem.runtime import select_device

    settings = Settings(
        compress=("nmf",), ranks=(1, 4), per_class=6, metric="fidelity", bind=bind, device="cpu"
    )
    try:
        model = graph.widen(graph.load(path, bind))
        drawn = find_inputs(model, None, select_device("cpu"))
        rng = np.random.default_rng(1)
        arrays = {name: more(array, rng) for name, array in drawn.samples.items()}
        labels = np.arange(SAMPLES) % 2
        report = run_audit(path, arrays | dict(drawn.shared) | {"y": labels}, settings)
    except OnnxmemError as error:
        return f"{type(error).__name__}: {str(error).replace(str(path), 'the model')}"
    except Exception as error:  # noqa: BLE001 - what the benchmark looks for
        return f"crash, {type(error).__name__}: {error}"
    if not report.measured:
        return f"refused: {report.reason.replace(str(path), 'the model')}"
    skipped = sorted({one.reason for one in report.layers if one.status == "skipped"})
    why = re.sub(r"\d+(\.\d+)?", "N", report.reason)
    return "; ".join([f"{report.verdict}: {why}", *(f"skipped: {reason}" for reason in skipped)])


def more(array: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return `SAMPLES` samples like those in `array`."""
    shape = (SAMPLES, *array.shape[1:])
    if array.dtype.kind == "f":
        return rng.normal(size=shape).astype(array.dtype)
    return rng.integers(0, 2, shape).astype(array.dtype)


def row(*cells: object) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


HEAD = ("models", "ReLUs built", "found", "missed", "look-alikes", "mistaken for a ReLU",
        "wrong feature axis", "supported", "verified", "bit-exact with --exact",
        "worst error")  # fmt: skip


def totals(outcomes: list[Outcome]) -> tuple[object, ...]:
    def total(field: str) -> int:
        return sum(getattr(one, field) for one in outcomes)

    return (
        len(outcomes), total("expected"), total("found"), total("missed"),
        sum(one.truth.lookalikes for one in outcomes), total("invented"), total("wrong_axis"),
        total("supported"), total("verified"), f"{total('exact')} of {total('exact_verified')}",
        f"{max((one.worst for one in outcomes), default=0):.0e}",
    )  # fmt: skip


def page(outcomes: list[Outcome]) -> Iterator[str]:
    """Yield the lines of the results."""
    yield "# Every exported model can be taken apart"
    yield ""
    yield (
        "Made by `python benchmarks/corpus.py`. The ReLUs of every model are known by "
        "construction. "
        "*Look-alikes* are gates of hand-written activations and guards, which must not be found. "
        "*Supported* is what reading the graph promises, *verified* what then ran with the joined "
        f"parts within {TOLERANCE:g} of the model's output, at the default optimisation; "
        "`--exact` in a run of its own."
    )
    yield ""
    yield row("exporter", *HEAD)
    yield row("---", *["---:"] * len(HEAD))
    for exporter in sorted({one.exporter for one in outcomes}):
        yield row(exporter, *totals([one for one in outcomes if one.exporter == exporter]))
    yield row("**all**", *totals(outcomes))
    yield from ("", "## Sites that cannot be cut", "")
    yield row("model", "expected to be closed", "reason")
    yield row("---", "---", "---")
    for one in outcomes:
        for reason in one.reasons:
            yield row(one.name, "yes" if one.truth.closed else "**no**", reason)
    yield from ("", "## How an audit of each ends", "")
    yield (
        f"{SAMPLES} random samples with random labels, `--metric fidelity --compress nmf "
        "--ranks 1,4`."
    )
    yield ""
    yield row("models", "end")
    yield row("---:", "---")
    ends = Counter(one.audited for one in outcomes if not one.error)
    yield from (row(count, end) for end, count in ends.most_common())
    yield from ("", "## Models that are not as they should be", "")
    wrong = [one for one in outcomes if not one.fine]
    yield from (f"- {one.name}: {trouble(one)}" for one in wrong)
    if not wrong:
        yield "None."
    yield from ("", f"{datetime.date.today()}, {versions()}.")


def trouble(one: Outcome) -> str:
    if one.error:
        return one.error
    counts = {
        "missed": one.missed,
        "mistaken for a ReLU": one.invented,
        "with the wrong feature axis": one.wrong_axis,
        "promised and not verified": one.supported - one.verified,
        "refused": one.refused_too_much,
        "without a reason or an axis": one.unexplained,
        "with the wrong axis of samples": one.wrong_samples,
    }
    found = [f"{number} {what}" for what, number in counts.items() if number]
    return ", ".join([*found, *([one.audited] if one.audited.startswith("crash") else [])])


def versions() -> str:
    from importlib import metadata

    names = ("onnxmem", "onnxruntime", "onnx", "onnx-ir", "numpy")
    found = []
    for name in names:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return ", ".join(found)


def main() -> None:
    """Make, check, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--make-into", type=Path, metavar="FOLDER", help="only make the models")
    parser.add_argument("--folder", type=Path, metavar="FOLDER", help="keep the models there")
    parser.add_argument("--only", default="", metavar="TEXT", help="models with TEXT in the name")
    options = parser.parse_args()
    if options.make_into:
        options.make_into.mkdir(parents=True, exist_ok=True)
        make(options.make_into)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        make(folder)
        names = [path.stem for path in folder.glob("*.json") if options.only in path.stem]
        outcomes = []
        for one in check(folder, names):
            mark = "ok " if one.fine else "BAD"
            counts = f"{one.found} of {one.expected} found, {one.verified} of {one.supported}"
            print(f"{mark} {one.name}: {counts} verified {trouble(one)}", flush=True)
            outcomes.append(one)
    text = "\n".join(page(outcomes)) + "\n"
    print(text)
    if not options.only:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
