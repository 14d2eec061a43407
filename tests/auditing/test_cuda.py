"""The CUDA path against the CPU; runs wherever a GPU, CuPy and onnxruntime-gpu are."""

from pathlib import Path

import numpy as np
import pytest

import onnxmem
from onnxmem import models
from onnxmem.errors import DeviceError
from onnxmem.records import CACHED_LAYERS
from onnxmem.runtime import select_device


@pytest.fixture(scope="module")
def cuda() -> str:
    try:
        return select_device("cuda").name
    except DeviceError as error:
        pytest.skip(str(error))


@pytest.mark.gpu
@pytest.mark.parametrize("name", ["vowels-mlp-p40", "mnist-cnn-p40"])
def test_scores_on_cuda_equal_those_on_the_cpu(cuda: str, name: str) -> None:
    network = models.network(name)
    with np.load(network.data_path) as data:
        train = data["split"] == "train"
        x, y = data["x"][train], data["y"][train]
    ranks = [1, 2, 4, 8, 16]
    on_cpu, on_cuda = (
        onnxmem.audit(network.path, x, y, compress=["nmf", "pca"], ranks=ranks, device=device)
        for device in ("cpu", cuda)
    )
    assert on_cuda.environment["provider"] == "CUDAExecutionProvider"
    for one, other in zip(on_cpu.layers, on_cuda.layers, strict=True):
        for expected, found in zip(one.curves, other.curves, strict=True):
            assert found.auc == pytest.approx(expected.auc, abs=0.005)
            assert found.error == pytest.approx(expected.error, abs=0.005)


@pytest.mark.gpu
def test_layers_on_cuda_and_on_the_cpu_are_kept_apart(cuda: str, tmp_path: Path) -> None:
    network = models.network("vowels-mlp-p40")
    with np.load(network.data_path) as data:
        x, y = data["x"], data["y"]
    known = [
        onnxmem.audit(
            network.path, x, y, compress=["pca"], ranks=[1, 4], device=device, cache=tmp_path
        ).timings.get(CACHED_LAYERS, 0)
        for device in ("cpu", cuda, cuda)
    ]
    assert known[:2] == [0, 0]
    assert known[2] > 0
