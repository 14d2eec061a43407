"""Whole reports in the store: what a key depends on, what is kept, and what comes back."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import report_samples

from onnxmem.cache import Store, surroundings, whole
from onnxmem.records import CACHED_LAYERS, Report

KEY = "0" * 64


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str | None]:
    """Return the function that makes the key of two small files, on a machine without a GPU."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(surroundings, "may_have_cuda", lambda: False)
    Path("net.onnx").write_bytes(b"a network")
    Path("data.npz").write_bytes(b"samples")

    def make(
        model: str = "net.onnx",
        files: tuple[str, ...] = ("data.npz",),
        device: str = "auto",
        **on: Any,
    ) -> str | None:
        return whole.report_key(model, files, {"seed": 0, **on}, device)

    return make


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache", 2**20)


@pytest.fixture
def report() -> Report:
    """Give a report from which nothing is missing."""
    found = report_samples.failing()
    layers = tuple(one for one in found.layers if one.status != "skipped")
    return replace(found, layers=layers, timings={"tail": 1.5})


def test_equal_files_and_options_have_one_key(key: Callable[..., str | None]) -> None:
    assert key() is not None
    assert key() == key()


def test_every_byte_and_option_counts(key: Callable[..., str | None]) -> None:
    Path("other.npz").write_bytes(b"samples")
    keys = [key(), key(seed=1), key(device="cpu"), key(files=("other.npz",)), key(files=())]
    Path("data.npz").write_bytes(b"sampled")
    keys.append(key())
    Path("net.onnx").write_bytes(b"b network")
    keys.append(key())
    assert None not in keys
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("name", ["code_identity", "installed", "machine"])
def test_code_libraries_and_machine_count(
    key: Callable[..., str | None], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    before = key()
    monkeypatch.setattr(surroundings, name, lambda: "another")
    assert key() not in (None, before)


def test_words_that_are_no_files_are_not_read(key: Callable[..., str | None]) -> None:
    assert key(files=("data.npz", "size=256")) is not None


def test_what_depends_on_more_than_files_has_no_key(
    key: Callable[..., str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("folder").mkdir()
    Path("external.onnx").write_bytes(b"." * (whole._CHUNK - 4) + b"location...net.bin")
    assert key(files=("folder",)) is None
    assert key(model="external.onnx") is None
    assert key(model="missing.onnx") is None
    assert key(device="cuda") is None
    monkeypatch.setattr(surroundings, "may_have_cuda", lambda: True)
    assert key() is None
    assert key(device="cpu") is not None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
def test_a_pipe_is_not_read(key: Callable[..., str | None]) -> None:
    os.mkfifo("pipe")
    assert key(files=("pipe",)) is None


def test_a_report_comes_back_and_says_that_it_was_known(store: Store, report: Report) -> None:
    whole.keep(store, KEY, report)
    found = whole.recall(store, KEY)
    assert found is not None
    assert found.timings == {"tail": 1.5, CACHED_LAYERS: len(report.layers)}
    assert replace(found, timings={}).to_dict() == replace(report, timings={}).to_dict()


def test_reports_from_which_something_is_missing_are_not_kept(store: Store, report: Report) -> None:
    skipped = replace(report.layers[0], status="skipped", curves=())
    for one in (
        replace(report, layers=(skipped, *report.layers[1:])),
        replace(report, verdict="inconclusive"),
        replace(report, layers=()),
        replace(report, baseline=replace(report.baseline, value=None)),
    ):
        whole.keep(store, KEY, one)
    assert whole.recall(store, KEY) is None


@pytest.mark.parametrize("content", [b"", b"\x80", b"no report"])
def test_what_is_no_report_is_forgotten(store: Store, content: bytes) -> None:
    store.put(KEY, content)
    assert whole.recall(store, KEY) is None
    assert store.usage()[0] == 0


def test_a_page_depends_on_the_report_and_not_on_where_it_came_from(report: Report) -> None:
    known = replace(report, timings={**report.timings, CACHED_LAYERS: 2.0})
    assert whole.page_key(known) == whole.page_key(report)
    assert whole.page_key(replace(report, reason="another")) != whole.page_key(report)


@pytest.mark.parametrize("odd", ["\ud800", 10**400])
def test_pages_of_reports_with_odd_values_have_keys_of_their_own(report: Report, odd: Any) -> None:
    known = replace(report, settings={"seed": odd})
    assert whole.page_key(known) == whole.page_key(replace(report, settings={"seed": odd}))
    assert whole.page_key(known) != whole.page_key(replace(known, reason="another"))
