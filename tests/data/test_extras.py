"""Optional libraries: missing ones are named with the line that installs them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from onnxmem.data import load
from onnxmem.errors import UsageError


@pytest.mark.parametrize(
    ("library", "file", "extra"),
    [
        ("PIL.Image", "cat/a.png", "images"),
        ("pyarrow", "t.parquet", "arrow"),
    ],
)
def test_missing_library_comes_with_the_line_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str, file: str, extra: str
) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(UsageError, match=rf"pip install 'onnxmem\[{extra}\]'"):
        load(tmp_path)
