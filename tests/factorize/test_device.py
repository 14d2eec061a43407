"""The CUDA kernels, compiled for real and executed without a GPU; and on one where there is one."""

from __future__ import annotations

import shutil
import subprocess
from importlib import resources
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from onnxmem.arrays import to_host
from onnxmem.factorize import device, iteration, kernel, launch, nmf_sweep, refine
from onnxmem.factorize.refine import Effort
from onnxmem.factorize.target import Target

SOURCES = [
    ("half_step", {"K": 0, "THREADS": launch.THREADS}),
    ("half_step", {"K": launch.BUILDS[1], "THREADS": launch.THREADS}),
    ("course", {"THREADS": launch.THREADS}),
    ("product", launch.TILE),
    ("grow", launch.GROWTH),
]
AS_CUPY = ("-std=c++17", "-ftz=true")
"""Options that CuPy 14 gives to every kernel."""


@pytest.mark.parametrize("architecture", ["sm_80", "sm_90"])
@pytest.mark.parametrize(("file", "constants"), SOURCES)
def test_nvcc_compiles_the_kernels(
    tmp_path: Path, architecture: str, file: str, constants: dict[str, int]
) -> None:
    nvcc = shutil.which("nvcc")
    if nvcc is None:
        pytest.skip("no nvcc")
    source = tmp_path / "kernels.cu"
    source.write_text(launch.source(file))
    command = [nvcc, f"-arch={architecture}", "-cubin", "-Werror", "all-warnings", *AS_CUPY]
    command += [f"-D{name}={value}" for name, value in constants.items()]
    subprocess.run([*command, "-o", str(tmp_path / "out"), str(source)], check=True)


@pytest.mark.parametrize("file", ["half_step", "course", "product", "grow"])
def test_the_sources_ship_with_the_package(file: str) -> None:
    assert resources.files("onnxmem.factorize").joinpath(f"{file}.cu").is_file()


def test_the_course_of_the_iterations_has_the_same_numbers_on_both_sides() -> None:
    source = launch.source("course")
    names = {"START_RATE": "RATE"} | {n: n for n in ("GROWTH", "CAP_GROWTH", "CUT", "CALM")}
    for name, ours in names.items():
        (line,) = [one for one in source.splitlines() if one.startswith(f"#define {name} ")]
        assert float(line.split()[2].rstrip("f")) == getattr(refine, ours)


@pytest.mark.parametrize("k", [3, 11, 70])
def test_every_build_sweeps_like_numpy(fake: ModuleType, k: int) -> None:
    rng = np.random.default_rng(k)
    h, a = rng.random((2, k, 90), np.float32), rng.random((2, 20, 90), np.float32)
    gram, cross = h @ h.swapaxes(1, 2), h @ a.swapaxes(1, 2)
    gram[1, 1] = gram[1, :, 1] = 0
    expected = rng.random((2, k, 20), np.float32)
    w = fake.asarray(expected)
    kernel.sweep(w, fake.asarray(gram), fake.asarray(cross), 2)
    kernel._sweep(expected, gram, cross, 2)
    assert np.allclose(to_host(w), expected, atol=1e-3)
    assert not to_host(w)[1, 1].any()


@pytest.mark.parametrize("iterations", [1, 7, 60])
def test_the_device_iterates_like_the_host(
    fake: ModuleType, activations: Any, iterations: int
) -> None:
    rng = np.random.default_rng(0)
    a = np.stack([activations(24, 16), activations(24, 16)[::-1] ** 2])
    w, h = rng.random((2, 4, 24), np.float32), rng.random((2, 4, 16), np.float32)
    effort = Effort(1e-3, 0.07, iterations)
    ours = refine.refine(Target.whole(a), w, h, effort)
    theirs = refine.refine(Target.whole(fake.asarray(a)), fake.asarray(w), fake.asarray(h), effort)
    assert np.allclose(to_host(theirs.loss), ours.loss, rtol=1e-3)
    residual = to_host(theirs.w).swapaxes(1, 2) @ to_host(theirs.h) - a
    assert np.allclose((residual**2).sum(axis=(1, 2)), ours.loss, rtol=1e-3)


def test_the_device_balances_components_too(fake: ModuleType, activations: Any) -> None:
    rng = np.random.default_rng(0)
    target = Target.whole(fake.asarray(activations(24, 16)[None]))
    w, h = rng.random((1, 3, 24), np.float32), rng.random((1, 3, 16), np.float32)
    scale = np.array([1, 2.0**30, 2.0**-61], np.float32)[:, None]
    expected, found = (
        refine.refine(target, *map(fake.asarray, pair), Effort(1e-3, 0.07, 7))
        for pair in [(w, h), (w * scale, h / scale)]
    )
    np.testing.assert_array_equal(to_host(found.loss), to_host(expected.loss))
    ratio = to_host(found.w).max(axis=2) / to_host(found.h).max(axis=2)
    assert 1e-3 < ratio.min() <= ratio.max() < 1e3


def test_the_device_gives_the_error_curve_of_the_host(fake: ModuleType, activations: Any) -> None:
    a, ranks = activations(50, 70), [1, 2, 4, 9]
    ours = [f.error for f in nmf_sweep(a, ranks)]
    theirs = [f.error for f in nmf_sweep(fake.asarray(a), ranks)]
    assert np.allclose(ours, theirs, rtol=5e-3)


@pytest.mark.parametrize("small", [True, False])
def test_the_host_looks_now_and_then_and_not_at_each_iteration(
    fake: ModuleType, activations: Any, monkeypatch: pytest.MonkeyPatch, small: bool
) -> None:
    looks = []

    def look(self: Any) -> np.ndarray:
        looks.append(1)
        return np.zeros(1)

    monkeypatch.setattr(fake.ndarray, "get", look)
    if not small:
        monkeypatch.setattr(iteration, "_SMALL", 0)
    rng = np.random.default_rng(0)
    w, h = fake.asarray(rng.random((1, 2, 9), "f")), fake.asarray(rng.random((1, 2, 8), "f"))
    target = Target.whole(fake.asarray(activations(9, 8)[None]))
    device.refine(target, w, h, Effort(1e-3, 0.07, 32))
    assert len(looks) == 4
