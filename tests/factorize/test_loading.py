"""What is said before the innermost loops run for the first time."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from onnxmem.factorize import launch
from onnxmem.factorize.loading import first_use


@pytest.mark.parametrize(
    ("kept", "loaded", "said"), [(True, False, ""), (False, True, ""), (False, False, "compiling")]
)
def test_compiling_is_said_where_nothing_is_kept(
    kept: bool, loaded: bool, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kept:
        (tmp_path / "iterations.refined-1.py311.nbi").touch()
    fast = SimpleNamespace(is_loaded=lambda: loaded, folder=lambda: str(tmp_path))
    monkeypatch.setattr("onnxmem.factorize.loading.compiled", lambda: fast)
    assert first_use(on_device=False).startswith(said) and bool(first_use(False)) is bool(said)


def test_without_numba_there_is_nothing_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onnxmem.factorize.loading.compiled", lambda: None)
    assert first_use(on_device=False) == ""


@pytest.mark.parametrize("loaded", [True, False])
def test_kernels_of_a_device_are_said_once(loaded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "kernels_loaded", lambda: loaded)
    assert ("CUDA kernels" in first_use(on_device=True)) is not loaded


def test_a_fresh_process_has_loaded_none() -> None:
    launch._kernel.cache_clear()
    assert not launch.kernels_loaded()
