"""Where the cache lies: what the user says, else the custom of the system, never a surprise."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from onnxmem.cache import default_store
from onnxmem.cache.place import DEFAULT_LIMIT
from onnxmem.errors import UsageError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="folders of POSIX")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Leave nothing set but a home."""
    for name in ("ONNXMEM_CACHE_DIR", "ONNXMEM_CACHE_SIZE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def test_folder_that_is_named_in_the_call_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONNXMEM_CACHE_DIR", str(tmp_path / "variable"))
    assert default_store(tmp_path / "call").folder == tmp_path / "call"
    assert default_store().folder == tmp_path / "variable"


def test_relative_folder_lies_in_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ONNXMEM_CACHE_DIR", "here")
    assert default_store().folder == tmp_path / "here"


@pytest.mark.skipif(os.uname().sysname != "Linux", reason="the custom of Linux")
def test_custom_of_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_store().folder == tmp_path / ".cache" / "onnxmem"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_store().folder == tmp_path / "xdg" / "onnxmem"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    store = default_store()
    assert store.folder == tmp_path / ".cache" / "onnxmem" or store.limit == 0


def test_looking_makes_nothing(tmp_path: Path) -> None:
    store = default_store()
    assert store.get("0" * 64) is None
    assert store.usage() == (0, 0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("home", [None, "relative"])
def test_without_a_home_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HOME")
    if home:
        monkeypatch.setenv("HOME", home)
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)  # the system's list knows none either
    store = default_store()
    store.put("0" * 64, b"words")
    assert "ONNXMEM_CACHE_DIR" in store.trouble
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "limit"), [("", DEFAULT_LIMIT), (" ", DEFAULT_LIMIT), ("0", 0), ("2M", 2**21)]
)
def test_the_limit_is_what_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, text: str, limit: int
) -> None:
    monkeypatch.setenv("ONNXMEM_CACHE_SIZE", text)
    assert default_store().limit == limit


@pytest.mark.parametrize("text", ["much", "-1", "1X"])
def test_a_limit_that_is_no_size_is_wrong_usage(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("ONNXMEM_CACHE_SIZE", text)
    with pytest.raises(UsageError, match=f"ONNXMEM_CACHE_SIZE '{text}'"):
        default_store()
