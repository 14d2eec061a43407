"""`onnxmem audit` from outside: what it writes, and that the same question gets the same answer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sample_networks
from sample_networks import Sample

from onnxmem import models
from onnxmem.compression.curve import pack

Command = Callable[..., Any]

FAST = ("--per-class", "12", "--ranks", "1,2,4")


def timeless(path: Path) -> str:
    """Return a report's text without its timings; everything else must be the same bytes."""
    text = path.read_text("utf-8")
    before, timings = text.split('"timings": ')
    assert json.loads(text)["timings"]
    assert timings.rstrip().endswith("}\n}")
    return before


@pytest.fixture
def audited(command: Command, folder: Path, mlp: Sample) -> Callable[..., str]:
    """Return the function that audits and returns the report's text without timings."""

    def run(*options: object, data: Path | None = None) -> str:
        outcome = command(
            "audit", mlp.path, "--data", data or mlp.data, "--json", "r.json", *options
        )
        assert outcome.code == 0, outcome
        return timeless(folder / "r.json")

    return run


def in_a_process(
    arguments: tuple[object, ...], folder: Path, cores: int, **environment: str
) -> None:
    """Run the installed command on so many cores."""
    start = (
        f"import os; os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:{cores}]);"
        "from onnxmem.cli import main; main()"
    )
    subprocess.run(
        [sys.executable, "-c", start, *map(str, arguments)],
        cwd=folder,
        env=os.environ | environment,
        check=True,
        capture_output=True,
    )


def test_same_seed_gives_the_same_bytes(audited: Callable[..., str]) -> None:
    assert audited() == audited()


def test_another_seed_gives_other_numbers(audited: Callable[..., str]) -> None:
    one, other = (json.loads(audited("--seed", n) + '"timings": 0}') for n in (0, 1))
    assert one["layers"] != other["layers"]
    assert one["data"].pop("batches") != other["data"].pop("batches")
    assert one["data"] == other["data"]


def test_order_of_the_samples_does_not_matter(
    audited: Callable[..., str], folder: Path, mlp: Sample
) -> None:
    path, order = folder / "samples.npz", np.random.default_rng(4).permutation(len(mlp.y))

    def found() -> dict[str, Any]:
        """Return the report without the places of samples in the data."""
        report: dict[str, Any] = json.loads(audited(data=path) + '"timings": 0}')
        for sample in report["evidence"]["samples"]:
            for name in ("id", "row", "neighbours"):
                del sample[name]
        return report

    np.savez(path, x=mlp.x, y=mlp.y)
    as_they_are = found()
    np.savez(path, x=mlp.x[order], y=mlp.y[order])
    assert found() == as_they_are


def test_order_of_unlabelled_samples_does_not_matter(
    audited: Callable[..., str], folder: Path, mlp: Sample
) -> None:
    path, order = folder / "samples.npz", np.random.default_rng(4).permutation(len(mlp.y))
    np.savez(path, x=mlp.x)
    as_they_are = audited("--per-class", 10, data=path)
    np.savez(path, x=mlp.x[order])
    assert audited("--per-class", 10, data=path) == as_they_are


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs a choice of cores")
@pytest.mark.parametrize("network", ["mlp", "cnn", "mnist1d-mlp-p40"])
def test_cores_threads_and_folder_do_not_matter(
    network: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if network in ("mlp", "cnn"):
        sample = request.getfixturevalue(network)
        arguments = ("audit", sample.path, "--data", sample.data)
    else:
        shipped = models.network(network)
        arguments = ("audit", shipped.path, "--data", shipped.data_path, *FAST)
    (tmp_path / "elsewhere").mkdir()
    in_a_process((*arguments, "--json", "a.json"), tmp_path, 1, OMP_NUM_THREADS="1")
    in_a_process(
        (*arguments, "--json", "b.json"),
        tmp_path / "elsewhere",
        len(os.sched_getaffinity(0)),
        OMP_NUM_THREADS="3",
        OPENBLAS_NUM_THREADS="3",
        PYTHONHASHSEED="17",
    )
    assert timeless(tmp_path / "a.json") == timeless(tmp_path / "elsewhere" / "b.json")


def test_table_goes_to_stdout_and_nothing_to_stderr(command: Command, mlp: Sample) -> None:
    outcome = command("audit", mlp.path, "--data", mlp.data, *FAST)
    assert outcome.code == 0
    assert "relu1" in outcome.out
    assert not outcome.err
    assert not outcome.new_files


def test_report_on_stdout_is_alone_there(command: Command, mlp: Sample) -> None:
    outcome = command("audit", mlp.path, "--data", mlp.data, *FAST, "--json", "-")
    assert json.loads(outcome.out)["schema"] == "onnxmem.report/1"
    assert len(outcome.err.splitlines()) == 1


def test_quiet_says_nothing(command: Command, mlp: Sample) -> None:
    outcome = command("audit", mlp.path, "--data", mlp.data, *FAST, "-q", "--html", "page.html")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    assert outcome.new_files == ("page.html",)


def test_all_formats_at_once(command: Command, mlp: Sample) -> None:
    files = {name: f"report.{name}" for name in ("json", "html", "markdown", "junit", "sarif")}
    options = [part for name, path in files.items() for part in (f"--{name}", path)]
    outcome = command("audit", mlp.path, "--data", mlp.data, *FAST, *options)
    assert outcome.code == 0
    assert outcome.new_files == tuple(sorted(files.values()))


@pytest.mark.parametrize(("threshold", "code"), [("0.01", 0), ("0.999", 1)])
def test_gate_decides_the_exit_code(
    command: Command, mlp: Sample, threshold: str, code: int
) -> None:
    audit = ("audit", mlp.path, "--data", mlp.data, *FAST, "-q", "--json", "r.json")
    assert command(*audit, "--fail-under", f"nmf.mixed={threshold}").code == code
    assert command(*audit, "--fail-under", f"nmf.mixed={threshold}", "--exit-zero").code == 0


def test_exit_zero_does_not_forgive_what_is_inconclusive(command: Command, mlp: Sample) -> None:
    outcome = command(
        "audit", mlp.path, "--data", mlp.data, *FAST, "--min-accuracy", "1", "--exit-zero", "-q"
    )
    assert outcome.code == 3
    assert "--min-accuracy" in outcome.err


def test_same_report_as_baseline_passes(command: Command, mlp: Sample) -> None:
    audit = ("audit", mlp.path, "--data", mlp.data, *FAST, "-q")
    assert command(*audit, "--json", "old.json").code == 0
    compared = (*audit, "--baseline", "old.json", "--max-drop", "0.0", "--json", "new.json")
    assert command(*compared).code == 0
    gates = json.loads(Path("new.json").read_text())["gates"]
    assert {gate["key"] for gate in gates} >= {"nmf.mixed:drop", "ablation.class:drop"}
    assert all(gate["passed"] for gate in gates)


def test_score_far_below_the_baseline_fails(command: Command, folder: Path, mlp: Sample) -> None:
    audit = ("audit", mlp.path, "--data", mlp.data, *FAST, "-q")
    assert command(*audit, "--json", "old.json").code == 0
    report = json.loads((folder / "old.json").read_text())
    for layer in report["layers"]:
        for curve in layer["curves"]:
            if (curve["compressor"], curve["batch"]) == ("ablation", "mixed"):
                samples = sum(group["samples"] for group in curve["groups"])
                curve |= {"auc": 1.0, "sample_auc": pack(np.ones(samples))}
    (folder / "old.json").write_text(json.dumps(report))
    outcome = command(*audit, "--baseline", "old.json", "--max-drop", "0.1")
    assert outcome.code == 1
    assert "ablation.mixed:drop" in outcome.err


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
def test_interrupted_audit_leaves_nothing_behind(tmp_path: Path) -> None:
    shipped = models.network("mnist-cnn-p00")
    temporary, folder = tmp_path / "temporary", tmp_path / "folder"
    temporary.mkdir()
    folder.mkdir()
    command = [sys.executable, "-c", "from onnxmem.cli import main; main()", "audit"]
    command += [str(shipped.path), "--data", str(shipped.data_path), "--json", "r.json"]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | {"TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not list(temporary.iterdir()):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130
    assert not out
    assert err.split("\n")[-2] == "onnxmem: interrupted; no output was written"
    assert "Traceback" not in err
    assert not list(temporary.iterdir())
    assert not list(folder.iterdir())


def test_other_kinds_of_activations_are_audited_on_request(command: Command, folder: Path) -> None:
    nodes, weights = sample_networks.mlp_parts(10)
    for node in nodes:
        node.op_type = "Sigmoid" if node.op_type == "Relu" else node.op_type
    x, y = sample_networks.blobs(10)
    model = sample_networks.with_readout(nodes, weights, ["n", 10], {"x": x}, y)
    sample = sample_networks.store(folder, "sigmoids", model, x, y)
    audit = ("audit", sample.path, "--data", sample.data, "--ranks", "1,2", "--compress", "nmf")
    refused = command(*audit, "--kind", "relu")
    assert refused.code == 3
    assert "no ReLU" in refused.error and "--kind sigmoid takes 2 others" in refused.error
    reports = []
    for options in (("--kind", "sigmoid"), ()):
        outcome = command(*audit, *options, "--json", "r.json")
        assert outcome.code == 0, outcome.err
        reports.append(json.loads((folder / "r.json").read_text("utf-8")))
    report = reports[0]
    assert [one["settings"] for one in reports] == [report["settings"]] * 2
    assert [one["layers"] for one in reports] == [report["layers"]] * 2
    assert [one["model"]["notes"] for one in reports] == [[], ["no ReLU; analyzed are 2 Sigmoid"]]
    assert report["settings"]["kind"] == ["sigmoid"]
    assert [layer["op"] for layer in report["layers"]] == ["Sigmoid", "Sigmoid"]
    drop = ("--max-drop", "0.1")
    other = command(*audit, "--kind", "relu,sigmoid", "--baseline", "r.json", *drop)
    assert other.code == 2
    assert "kind differ" in other.error
    one = command(*audit, "--kind", "sigmoid", "--layers", "*", "--baseline", "r.json", *drop)
    assert "layers differ (not set there, * here)" in one.error
    assert command("expose", sample.path, "-o", "out.onnx", "--kind", "sigmoid").code == 0


def test_chosen_ranks_are_said_to_narrow_the_score(command: Command, mlp: Sample) -> None:
    audit = ("audit", mlp.path, "--data", mlp.data, "--compress", "nmf", "--batch", "mixed")
    outcome = command(*audit, "--ranks", "2,4")
    assert "the AuC over rank covers the ranks 2 to 4 alone" in " ".join(outcome.out.split())


def test_two_thresholds_for_one_score_are_refused(command: Command, mlp: Sample) -> None:
    gates = ("--fail-under", "nmf.mixed=0.9", "--fail-under", "nmf.mixed=0.1")
    outcome = command("audit", mlp.path, "--data", mlp.data, *gates)
    assert outcome.code == 2
    assert "--fail-under nmf.mixed is given twice" in outcome.error
