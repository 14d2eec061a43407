"""The same network, whatever framework exported it, gets the same scores."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from make import BUILDERS, write_exports

from onnxmem import models
from onnxmem.auditing import Settings
from onnxmem.comparing import Comparison, compare
from onnxmem.comparing.together import audit_together
from onnxmem.data import load

HERE = Path(__file__).parent
DATA = {"small-cnn": "mnist-cnn-p00", "small-mlp": "vowels-mlp-p00"}
NEAR = 0.01
"""How far scores of one network may differ."""

QUICK = Settings(device="cpu", batch=("mixed",), per_class=10, ranks=(1, 4, 16))


def exports(network: str, folder: Path = HERE) -> list[Path]:
    return sorted(folder.glob(f"{network}.*.onnx"))


def audit(network: str, paths: list[Path]) -> Comparison:
    arrays = load(models.network(DATA[network]).data_path)
    together = audit_together([HERE / f"{network}.onnx", *paths], arrays, QUICK)
    return compare(together.reports, notes=together.notes, same_data=True)


def check_alike(comparison: Comparison) -> None:
    """Check that every layer has its counterpart, and every score its like."""
    assert len({report.baseline.value for report in comparison.reports}) == 1
    for row in comparison.layers:
        assert None not in row.tensors
    for scores in (comparison.summary, *(row.scores for row in comparison.layers)):
        for key, cells in scores.items():
            found = [cell for cell in cells if cell is not None]
            assert len(found) == len(comparison.models), key
            assert len({cell.saturated for cell in found}) == 1, key
            aucs = [cell.auc for cell in found if cell.auc is not None]
            assert not aucs or max(aucs) - min(aucs) <= NEAR, key
            assert not any(cell.apart for cell in found), key


@pytest.mark.parametrize("network", DATA)
def test_all_exports_get_the_scores_of_the_network(network: str) -> None:
    comparison = audit(network, exports(network))
    check_alike(comparison)
    assert any(cells[0] and cells[0].auc for cells in comparison.summary.values())
    turned = {note.partition(":")[0] for note in comparison.notes if "axis 1 moved" in note}
    last = ("jax-relu", "keras-export", "keras-tf2onnx", "tf-maximum")
    assert turned == (
        {f"{network}.{name}.onnx" for name in last} if network == "small-cnn" else set()
    )


@pytest.mark.exports
@pytest.mark.parametrize("builder", BUILDERS)
def test_exports_made_anew_compute_the_same(builder: str, tmp_path: Path) -> None:
    if find_spec(BUILDERS[builder]) is None:
        pytest.skip(f"{BUILDERS[builder]} is not installed")
    command = [sys.executable, HERE / "make.py", "--only", builder, "-o", tmp_path]
    subprocess.run(command, check=True, capture_output=True, env=os.environ)
    made = [path for network in DATA for path in exports(network, tmp_path)]
    assert made
    for path in made:
        network = path.name.partition(".")[0]
        x = load(models.network(DATA[network]).data_path)["x"][:20]
        assert predicted(path, x) == predicted(HERE / f"{network}.onnx", x)


def predicted(path: Path, x: np.ndarray) -> list[int]:
    """Return the classes that a model gives the samples, from its scores or its labels."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (only,) = session.get_inputs()
    turned = x.ndim == 4 and only.shape[1] != x.shape[1]
    outputs = session.run(None, {only.name: np.moveaxis(x, 1, -1) if turned else x})
    labels = outputs[0] if outputs[0].ndim == 1 else outputs[0].argmax(axis=1)
    return [int(label) for label in labels]


def test_what_is_not_installed_is_named_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("make.BUILDERS", {"by_nobody": "no_such_framework"})
    write_exports(HERE / "small-mlp.onnx", tmp_path)
    assert capsys.readouterr().out.startswith("no_such_framework is not installed")
    assert list(tmp_path.iterdir()) == []
