"""The worked examples of CONTRIBUTING.md work."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import report_samples
import yaml
from click.testing import CliRunner
from evidence_facts import draw_facts
from sample_networks import Sample

import onnxmem
from onnxmem.factorize import relative_error

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(
    r"^```python\n# (\S+)\n(.*?)^```$",
    (ROOT / "CONTRIBUTING.md").read_text("utf-8"),
    re.MULTILINE | re.DOTALL,
)


def example(name: str) -> dict[str, Any]:
    """Run the example that is to be put into a file of that name; return what it defines."""
    (text,) = (text for path, text in BLOCKS if path == name)
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(text, name, "exec"), names)
    return names


def test_a_compressor_satisfies_its_contract() -> None:
    compressor = example("onnxmem/factorize/largest.py")["Largest"]()
    a = np.random.default_rng(0).random((30, 8)).astype(np.float32)
    levels = (1.0, 2.0, 4.0, 8.0)
    (fitted,) = compressor.fit_many([a], levels, 0)
    errors = [relative_error(a, fitted.approximate(a, level)) for level in levels]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] == 0 and compressor.is_exact(8, 8)


def test_a_measure_tells_something_of_the_network() -> None:
    settled = example("onnxmem/evidence/settled.py")["settled_share"]
    clean, noisy = (settled(draw_facts(noise, clarity=20)[0]) for noise in (0.0, 0.4))
    assert 0 < noisy.value < clean.value < 1


@pytest.mark.parametrize("name", report_samples.ALL)
def test_a_format_writes_every_report(name: str) -> None:
    report = report_samples.ALL[name]()
    text = example("onnxmem/report/lines.py")["render"](report)
    assert len(text.splitlines()) == max(1, len(report.summary))


def test_a_command_does_its_work(mlp: Sample) -> None:
    command = example("cli/sites_command.py")["command"]
    result = CliRunner().invoke(command, [str(mlp.path)], standalone_mode=False)
    assert result.output.split() == ["relu1", "relu2"]
    assert result.return_value == 0


def test_the_citation_has_the_version_of_the_package() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["version"] == onnxmem.__version__
    assert citation["license"] == "Apache-2.0"
