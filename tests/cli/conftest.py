"""The command line as tests call it: in a folder of its own, without a process."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnxmem.cli import main
from sample_networks import Sample

import onnxmem
from onnxmem.records import Report

PROGRESS = re.compile(
    r"onnxmem: .*: ((still )?at .* \(.*\)|.* from the cache|compiling kernels.*)$"
)


@dataclass(frozen=True)
class Outcome:
    """What a command left behind: exit code, both streams, and the files that are new.

    What stderr tells of progress stands by itself, in `progress`.
    """

    code: int
    out: str
    err: str
    new_files: tuple[str, ...]
    progress: tuple[str, ...] = ()

    @property
    def error(self) -> str:
        """The one line of an error; fails where there is anything else."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("onnxmem: error: ")
        assert not self.out
        assert not self.new_files
        return lines[0]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty folder, the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(folder: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Return the function that runs `onnxmem` with arguments, in an empty folder."""

    def run(*arguments: object) -> Outcome:
        before = set(folder.rglob("*"))
        capfd.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        assert isinstance(stop.value.code, int)
        new = sorted(str(path.relative_to(folder)) for path in set(folder.rglob("*")) - before)
        out, err = capfd.readouterr()
        lines = err.splitlines(keepends=True)
        told = [line for line in lines if PROGRESS.match(line)]
        others = "".join(line for line in lines if line not in told)
        return Outcome(stop.value.code, out, others, tuple(new), tuple(told))

    return run


@pytest.fixture(scope="module")
def other(mlp: Sample, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a network like `mlp` with less precise weights."""
    path = tmp_path_factory.mktemp("other") / "other.onnx"
    model = onnx.load(mlp.path)
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        if tensor.name == "w1":
            noise = np.random.default_rng(0).normal(size=array.shape)
            array = (array + 0.1 * noise).astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    onnx.save(model, path)
    return path


@pytest.fixture(scope="module")
def report(mlp: Sample) -> Report:
    """Give the report of a quick audit."""
    return onnxmem.audit(
        mlp.path, mlp.x, mlp.y, ranks=[1, 2], compress=["nmf"], batch=["mixed"], device="cpu"
    )
