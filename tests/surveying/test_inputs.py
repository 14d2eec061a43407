"""Whether the files that an audit read are as they were."""

from __future__ import annotations

import os
from pathlib import Path

from onnxmem.surveying.inputs import stamps, unchanged


def test_a_file_that_was_touched_alone_is_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(b"one")
    before = stamps([path, tmp_path / "gone"])
    assert len(before) == 1 and unchanged(before)
    os.utime(path, (1, 1))
    assert unchanged(before)
    path.write_bytes(b"two")
    assert not unchanged(before)
    path.unlink()
    assert not unchanged(before)


def test_a_folder_changes_with_any_file_in_it(tmp_path: Path) -> None:
    (tmp_path / "d" / "cat").mkdir(parents=True)
    (tmp_path / "d" / "cat" / "1.png").write_bytes(b"1")
    before = stamps([tmp_path / "d"])
    assert unchanged(before)
    (tmp_path / "d" / "cat" / "2.png").write_bytes(b"1")
    assert not unchanged(before)
