"""The store keeps bytes, forgets what was not used, and never stands in the way."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnxmem.cache import NOWHERE, Store
from onnxmem.cache import store as store_module

AMPLE = 2**20
HEAD = 48


def key(name: object) -> str:
    return hashlib.sha256(str(name).encode()).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "deep" / "cache", AMPLE)


def only_file(store: Store) -> Path:
    (path,) = store.folder.iterdir()
    return path


def age(store: Store, name: object, seconds: int) -> None:
    path = store.folder / f"{key(name)}.result"
    os.utime(path, ns=(0, path.stat().st_mtime_ns - seconds * 10**9))


@pytest.mark.parametrize("content", [b"", b"words", bytes(range(256)) * 100])
def test_what_was_put_is_found(store: Store, content: bytes) -> None:
    assert store.get(key(1)) is None
    store.put(key(1), content)
    assert store.get(key(1)) == content
    assert store.get(key(2)) is None
    assert store.usage() == (1, HEAD + len(content))


def test_last_content_of_a_key_counts(store: Store) -> None:
    store.put(key(1), b"old")
    store.put(key(1), b"new")
    assert store.get(key(1)) == b"new"
    assert store.usage()[0] == 1


def test_another_store_of_the_folder_finds_it(store: Store) -> None:
    store.put(key(1), b"words")
    assert Store(store.folder, AMPLE).get(key(1)) == b"words"


@pytest.mark.skipif(os.name != "posix", reason="rights of POSIX")
def test_only_the_owner_may_look(store: Store) -> None:
    store.put(key(1), b"words")
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(only_file(store).stat().st_mode) == 0o600


def test_least_recently_used_go_first(tmp_path: Path) -> None:
    store = Store(tmp_path, 3 * (HEAD + 100))
    for name in range(3):
        store.put(key(name), bytes(100))
        age(store, name, 100 - name)
    assert store.get(key(0)) is not None
    store.put(key(3), bytes(100))
    assert [store.get(key(name)) is not None for name in range(4)] == [True, False, True, True]


def test_content_beyond_the_limit_is_not_kept(tmp_path: Path) -> None:
    store = Store(tmp_path, HEAD + 10)
    store.put(key(1), bytes(10))
    store.put(key(2), bytes(11))
    assert (store.get(key(1)), store.get(key(2))) == (bytes(10), None)
    assert not store.trouble


def test_nowhere_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Store(tmp_path, AMPLE).put(key(1), b"planted")
    NOWHERE.put(key(2), b"words")
    assert NOWHERE.get(key(1)) is None
    assert NOWHERE.get(key(2)) is None
    assert not NOWHERE.trouble


@given(damage=st.data())
def test_any_damage_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, damage: st.DataObject
) -> None:
    store = Store(tmp_path_factory.mktemp("store"), AMPLE)
    store.put(key(1), b"some words that matter")
    path = only_file(store)
    content = path.read_bytes()
    place = damage.draw(st.integers(0, len(content) - 1))
    if damage.draw(st.booleans()):
        path.write_bytes(content[:place])
    else:
        changed = content[place] ^ damage.draw(st.integers(1, 255))
        path.write_bytes(content[:place] + bytes([changed]) + content[place + 1 :])
    assert store.get(key(1)) is None
    assert not path.exists()


def test_file_under_the_name_of_another_is_removed(store: Store) -> None:
    store.put(key(1), b"words")
    only_file(store).rename(store.folder / f"{key(2)}.result")
    assert store.get(key(2)) is None
    assert store.usage() == (0, 0)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes")
def test_pipe_in_place_of_a_file_does_not_block(store: Store) -> None:
    store.folder.mkdir(parents=True)
    os.mkfifo(store.folder / f"{key(1)}.result")
    assert store.get(key(1)) is None
    store.put(key(1), b"words")
    assert store.get(key(1)) == b"words"


@pytest.mark.skipif(os.name != "posix", reason="links of POSIX")
def test_link_is_not_followed(store: Store, tmp_path: Path) -> None:
    store.put(key(1), b"words")
    elsewhere = tmp_path / "elsewhere"
    path = only_file(store).rename(elsewhere)
    (store.folder / f"{key(1)}.result").symlink_to(path)
    assert store.get(key(1)) is None
    store.put(key(1), b"new")
    assert store.get(key(1)) == b"new"
    assert b"words" in elsewhere.read_bytes()


def test_folder_in_place_of_a_file_is_trouble_and_no_error(store: Store) -> None:
    (store.folder / f"{key(1)}.result").mkdir(parents=True)
    assert store.get(key(1)) is None
    store.put(key(1), b"words")
    assert str(store.folder) in store.trouble


def test_file_in_place_of_the_folder_is_trouble_and_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    store = Store(tmp_path / "file", AMPLE)
    assert store.get(key(1)) is None
    store.put(key(1), b"words")
    assert store.trouble
    assert (store.usage(), store.clear()) == ((0, 0), 0)
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT])
@pytest.mark.parametrize("call", ["open", "replace"])
def test_disk_that_takes_nothing_is_trouble_and_no_error(
    store: Store, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    def fail(*arguments: Any) -> Any:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(f"onnxmem.cache.store.os.{call}", fail)
        store.put(key(1), b"words")
    assert os.strerror(code) in store.trouble
    assert list(store.folder.iterdir()) == []
    store.put(key(2), b"words")
    assert list(store.folder.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_disk_that_fills_up_while_writing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    really = os.open

    def open_full(path: Any, flags: int, mode: int = 0o777) -> int:
        os.close(really(path, flags, mode))
        return really("/dev/full", os.O_WRONLY)

    with monkeypatch.context() as patch:
        patch.setattr("onnxmem.cache.store.os.open", open_full)
        store.put(key(1), b"words")
    assert os.strerror(errno.ENOSPC) in store.trouble
    assert list(store.folder.iterdir()) == []


def test_clearing_leaves_what_belongs_to_others(store: Store) -> None:
    for name in range(3):
        store.put(key(name), b"words")
    (store.folder / "notes.txt").write_text("mine")
    (store.folder / f"{key(9)}.{'0' * 16}.tmp").write_text("unfinished")
    assert store.clear() == 3
    assert [path.name for path in store.folder.iterdir()] == ["notes.txt"]


def test_rest_of_a_killed_process_goes_after_a_while(store: Store) -> None:
    store.put(key(1), b"words")
    old, young = (store.folder / f"{key(9)}.{digit * 16}.tmp" for digit in "01")
    for path in (old, young):
        path.write_text("unfinished")
    os.utime(old, (0, old.stat().st_mtime - 2 * 3600))
    Store(store.folder, store.limit).put(key(2), b"words")
    assert (old.exists(), young.exists()) == (False, True)


WRITER = """
import sys
from pathlib import Path
from onnxmem.cache import Store
store = Store(Path(sys.argv[1]), 20_000)
for round in range(15):
    for name in range(30):
        key = f"{name:064x}"
        found = store.get(key)
        assert found in (None, key.encode() * 20), found
        store.put(key, key.encode() * 20)
assert not store.trouble, store.trouble
"""


def test_several_processes_share_a_folder_that_is_too_small_for_all(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    errors = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], errors
    assert 0 < Store(tmp_path, 20_000).usage()[1] <= 3 * 20_000
    assert not list(tmp_path.glob("*.tmp"))


def test_threads_share_a_store(store: Store) -> None:
    def work() -> None:
        for name in range(50):
            store.put(key(name), str(name).encode())
            assert store.get(key(name)) == str(name).encode()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not store.trouble
    assert store.usage()[0] == 50


def test_the_more_results_there_are_the_rarer_they_are_counted(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = [0]
    really = store_module._files

    def files(*given: Any) -> Any:
        looks[0] += 1
        return really(*given)

    monkeypatch.setattr(store_module, "_files", files)
    for number in range(300):
        store.put(key(number), bytes(150))
    assert 0 < looks[0] <= 4


def test_many_results_never_take_more_than_the_limit(store: Store) -> None:
    small = Store(store.folder, 64 * 2**10)
    for number in range(600):
        small.put(key(number), bytes(150))
        assert sum(path.stat().st_size for path in store.folder.iterdir()) <= small.limit
    assert small.get(key(599)) and small.get(key(400)) and not small.get(key(0))
