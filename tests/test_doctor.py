"""The doctor raises nothing, whatever is missing."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import pytest

from onnxmem import doctor
from onnxmem.doctor import Check, diagnose


def found(checks: tuple[Check, ...], name: str) -> Check:
    (check,) = (check for check in checks if check.name == name)
    return check


def test_this_environment_is_usable() -> None:
    diagnosis = diagnose()
    assert diagnosis.usable
    assert found(diagnosis.checks, "onnxmem").state == "ok"
    assert "CPUExecutionProvider" in found(diagnosis.checks, "providers").detail


def test_json_holds_all_checks() -> None:
    diagnosis = diagnose()
    values = json.loads(diagnosis.to_json())
    assert values["schema"] == "onnxmem.doctor/1"
    assert values["usable"] is True
    assert len(values["checks"]) == len(diagnosis.checks)
    assert {"name", "state", "detail", "mend"} == set(values["checks"][0])


def test_missing_onnxruntime_comes_with_the_line_that_mends_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    diagnosis = diagnose()
    assert not diagnosis.usable
    (check,) = (check for check in diagnosis.checks if check.state == "broken")
    assert check.name == "onnxruntime"
    assert check.mend == "pip install onnxruntime"


def test_two_wheels_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        doctor, "metadata", SimpleNamespace(version=lambda name: "1", PackageNotFoundError=KeyError)
    )
    check = found(diagnose().checks, "onnxruntime wheels")
    assert check.state == "broken"
    assert "pip uninstall -y onnxruntime onnxruntime-gpu" in check.mend


def test_the_kernel_of_the_factorization_is_named_and_the_faster_one_offered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(doctor, "kernel_name", lambda on_device: "numpy")
    assert found(diagnose().checks, "kernel").mend == "pip install numba scipy"
    monkeypatch.setattr(doctor, "kernel_name", lambda on_device: "numba 1.0")
    assert found(diagnose().checks, "kernel") == Check("kernel", "ok", "numba 1.0")


@pytest.mark.parametrize("name", ["images", "arrow"])
def test_optional_libraries_come_with_their_purpose_and_the_line_that_installs_them(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    assert found(diagnose().checks, name).state == "ok"
    monkeypatch.setattr(doctor, "_version", lambda distribution: None)
    check = found(diagnose().checks, name)
    assert check.state == "missing"
    assert "as data" in check.detail
    assert check.mend == f"pip install 'onnxmem[{name}]'"
