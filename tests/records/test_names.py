"""Models beside each other have names that differ."""

from __future__ import annotations

from dataclasses import replace

import report_samples

from onnxmem.records.names import model_names


def test_models_of_one_name_are_told_apart() -> None:
    report = report_samples.passing()
    other = replace(report, model=replace(report.model, sha256="beef" * 16))
    assert model_names([report, other]) == (
        "cnn-clean.onnx (3f2a3f2a)",
        "cnn-clean.onnx (beefbeef)",
    )
    assert len(set(model_names([report, report]))) == 2
