"""The command line of a report is one that a shell reads back as it was meant."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from typing import Any

import pytest
import report_samples

from onnxmem.records import Report
from onnxmem.report.command import command_line

BASH = shutil.which("bash")


def with_settings(**settings: Any) -> Report:
    report = report_samples.passing()
    return replace(report, settings=report.settings | settings)


def test_settings_become_options() -> None:
    report = with_settings(
        layers=["conv*", "fc 1"],
        bind={"training": False, "name": "x"},
        fail_under={"nmf.mixed": 0.5},
        ranks=[1, 2],
        exact=True,
        memory=1024,
        min_accuracy=0.25,
        baseline="old.json",
        max_drop=0.0,
        split=None,
    )
    assert command_line(report) == (
        "onnxmem audit models/cnn-clean.onnx --data models/cnn-data.npz '--layers=conv*' "
        "'--layers=fc 1' --compress=nmf,pca,ablation --batch=class,mixed --per-class=30 "
        "--ranks=1,2 --bind=training=false --bind=name=x --exact --memory=1024 --seed=0 "
        "--fail-under=nmf.mixed=0.5 --min-accuracy=0.25 --baseline=old.json --max-drop=0.0"
    )


def test_options_of_the_data_come_back() -> None:
    report = report_samples.passing()
    options = {
        "labels": "my labels.npy",
        "label_column": "kind",
        "class_names": "names.txt",
        "preprocess": ["size=4", "mean=0.5,0.5"],
    }
    line = command_line(replace(report, data=replace(report.data, options=options)))
    assert (
        "--data models/cnn-data.npz '--labels=my labels.npy' --label-column=kind "
        "--class-names=names.txt --preprocess=size=4 --preprocess=mean=0.5,0.5 --compress="
    ) in line


@pytest.mark.skipif(BASH is None, reason="needs bash")
@pytest.mark.parametrize(
    "name", [n.replace("\0", "") for n in report_samples.HOSTILE_NAMES if "\ud800" not in n and n]
)
def test_hostile_names_come_through_a_shell(name: str) -> None:
    line = command_line(with_settings(layers=[name], output_name=name))
    assert line.isprintable()
    shown = subprocess.run(
        [str(BASH), "-c", line.replace("onnxmem", "printf '%s\\0'", 1)],
        capture_output=True,
        check=True,
        env={"LC_ALL": "C.UTF-8"},
    )
    words = shown.stdout.decode().split("\0")
    assert f"--layers={name}" in words
    assert f"--output-name={name}" in words


def test_data_that_had_no_file_have_a_placeholder() -> None:
    report = report_samples.passing()
    line = command_line(replace(report, data=replace(report.data, path="")))
    assert "--data DATA.npz" in line


def test_gates_come_back_with_what_they_were_set_for() -> None:
    shared = {"classes": 10, "baseline_data": "same", "pool": "all", "samples": True}
    assert not {"--classes", "--pool", "--no-samples"} & set(
        command_line(with_settings(**shared)).replace("=", " ").split()
    )
    gated = shared | {"fail_over": {"memorized_share": 0.5}, "baseline_data": "other"}
    line = command_line(with_settings(**gated | {"samples": False, "pool": "mean"}))
    assert line.endswith(
        "--fail-over=memorized_share=0.5 --baseline-data=other --classes=10 --pool=mean "
        "--no-samples"
    )
