"""The steps of gpu_check.sh: what they run, for how long at most, and the JSON of what came of it.

Needs nothing but Python, and writes the JSON anew after every step, so that one that hangs takes
nothing with it. Each step ends at its own time limit, all of them after ten minutes.
"""

from __future__ import annotations

import datetime
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 600.0
NEEDED = "import onnxmem, onnxruntime, cupy, pytest; onnxmem.audit"
NETWORK = "mnist-cnn-p40"
_SHOWN = 4000
"""Characters of what a step said at last."""

Result = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """One command.

    Attributes:
        name: what the JSON calls it.
        line: the command, without the interpreter.
        limit: seconds.
        found: what to keep of its output and its file.
    """

    name: str
    line: list[str]
    limit: float
    found: Callable[[str], Any] = lambda said: None


def last_json(said: str) -> Any:
    """Return the JSON object that ends what a program said."""
    start = said.index("\n{\n") + 1 if "\n{\n" in said else said.index("{")
    return json.loads(said[start:])


def counts(said: str) -> str:
    """Return the last line of pytest."""
    return said.strip().splitlines()[-1]


def steps(folder: Path) -> list[Step]:
    """Return all steps; reports go to `folder`."""
    data = [str(ROOT / "models" / f"{NETWORK}.npz")]
    network = str(ROOT / "models" / f"{NETWORK}.onnx")
    found = [
        Step("doctor", ["-m", "onnxmem", "doctor", "--json", "-"], 30, last_json),
        Step("tests", ["-m", "pytest", "-q", "-m", "gpu", "-p", "no:xdist", "-rfE"], 200, counts),
        Step("sweep beside its floor", ["benchmarks/gpu_floor.py"], 90, last_json),
    ]
    for command in ("audit", "samples"):
        for device in ("cuda", "cpu"):
            file = folder / f"{command}-{device}.json"
            line = ["-m", "onnxmem", command, network, "--data", *data, "--device", device]
            line += ["-q", "--no-cache", "--json", str(file)]
            found.append(Step(f"{command} on {device}", line, 75, lambda _, f=file: scores(f)))
    return found


def scores(file: Path) -> Result:
    """Return the numbers of a report that both devices should agree in, and where time went."""
    report = json.loads(file.read_text("utf-8"))
    aucs = {
        f"{layer['tensor']} {curve['compressor']}.{curve['batch']}": curve["auc"]
        for layer in report["layers"]
        for curve in layer.get("curves", ())
    }
    network = (report.get("evidence") or report).get("network") or {}
    return {
        "environment": report["environment"],
        "aucs": aucs,
        "memorized_share": (network.get("memorized_share") or {}).get("value"),
        "timings": report.get("timings", {}),
    }


def gpus() -> tuple[list[str], str]:
    """Return name, driver and memory of each GPU, and why there is none."""
    ask = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    try:
        done = subprocess.run(ask, capture_output=True, text=True, timeout=30, check=False)
    except FileNotFoundError:
        return [], "there is no nvidia-smi, so no driver is installed"
    except (OSError, subprocess.TimeoutExpired) as error:
        return [], f"nvidia-smi does not run: {error}"
    if done.returncode:
        return [], f"nvidia-smi fails: {(done.stderr or done.stdout).strip()[:_SHOWN]}"
    found = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    return found, "" if found else "nvidia-smi lists no GPU"


def run(python: str, step: Step, limit: float) -> Result:
    """Run one step, and return how it ended; what it started ends with it."""
    begin = time.monotonic()
    process = subprocess.Popen(
        [python, *step.line],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=limit)
        state = "passed" if process.returncode == 0 else f"exit code {process.returncode}"
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
        state = f"took longer than {limit:.0f} s"
    result: Result = {"state": state, "seconds": round(time.monotonic() - begin, 2)}
    try:
        result["found"] = step.found(said)
    except (OSError, ValueError, KeyError, IndexError) as error:
        result["state"] = state if state != "passed" else f"its result cannot be read: {error!r}"
    if result["state"] != "passed":
        result["said"] = said[-_SHOWN:]
    return result


def interpreter(folder: Path, left: float) -> tuple[str, Result]:
    """Return a Python that has all libraries, which are installed where they are missing."""
    known = run(sys.executable, Step("import", ["-c", NEEDED], 60), min(60, left))
    if known["state"] == "passed":
        return sys.executable, {"state": "passed", "seconds": known["seconds"]}
    place = folder / "environment"
    made = run(sys.executable, Step("venv", ["-m", "venv", str(place)], 60), min(60, left))
    python = str(place / "bin" / "python")
    if made["state"] != "passed":
        return python, made
    line = ["-m", "pip", "install", "-q", "-e", f"{ROOT}[cuda,dev]"]
    return python, run(python, Step("install", line, 240), min(240, left))


def apart(result: Result) -> dict[str, float | None]:
    """Return the largest difference of an AuC, and of the share, between the two devices."""
    found = {name: one.get("found") or {} for name, one in result["steps"].items()}
    cuda, cpu = (found.get(f"audit on {device}", {}).get("aucs", {}) for device in ("cuda", "cpu"))
    both = cuda.keys() & cpu.keys()
    shares = [
        found.get(f"samples on {device}", {}).get("memorized_share") for device in ("cuda", "cpu")
    ]
    known = [share for share in shares if share is not None]
    return {
        "auc_difference_max": max((abs(cuda[k] - cpu[k]) for k in both), default=None),
        "share_difference": abs(known[0] - known[1]) if len(known) == 2 else None,
    }


def check(path: Path) -> int:
    """Run everything, write the JSON, and return the exit code."""
    import tempfile

    end = time.monotonic() + SECONDS
    found, reason = gpus()
    result: Result = {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "gpus": found,
        "reason": reason,
        "steps": {},
    }
    write(path, result)
    if not found:
        print(f"no GPU: {reason}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="gpu-check-") as name:
        folder = Path(name)
        python, result["steps"]["libraries"] = interpreter(folder, end - time.monotonic())
        write(path, result)
        todo = steps(folder) if result["steps"]["libraries"]["state"] == "passed" else []
        for step in todo:
            left = end - time.monotonic()
            print(f"{step.name} ...", file=sys.stderr, flush=True)
            if left < 5:
                result["steps"][step.name] = {"state": "no time was left", "seconds": 0.0}
            else:
                result["steps"][step.name] = run(python, step, min(step.limit, left))
            print(f"{step.name}: {result['steps'][step.name]['state']}", file=sys.stderr)
            write(path, result | {"apart": apart(result)})
    passed = all(one["state"] == "passed" for one in result["steps"].values())
    print(f"{'all passed' if passed else 'something failed'}: {path}", file=sys.stderr)
    return 0 if passed else 1


def write(path: Path, result: Result) -> None:
    """Write the JSON, whole or not at all."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    os.replace(unfinished, path)


if __name__ == "__main__":
    sys.exit(check(Path(sys.argv[1] if sys.argv[1:] else "gpu_check.json").absolute()))
