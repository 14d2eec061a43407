"""Manifests become entries: a path, options, and a name."""

from __future__ import annotations

from pathlib import Path

import pytest

from onnxmem.errors import DataError, UsageError
from onnxmem.surveying.manifest import make_entries, read_entries
from onnxmem.surveying.options import arguments


def test_toml_holds_paths_from_its_own_folder_on(tmp_path: Path) -> None:
    (tmp_path / "zoo").mkdir()
    manifest = tmp_path / "zoo" / "m.toml"
    manifest.write_text(
        '[[model]]\npath = "a.onnx"\ndata = "d.npz"\nper-class = 10\nheld_out = "test"\n'
        'fail-under = {nmf.mixed = 0.5}\npreprocess = ["p.json", "size=4"]\n'
        '[[model]]\npath = "b.onnx"\nname = "second"\nlayers = ["r*", "s*"]\n'
    )
    first, second = read_entries([manifest])
    folder = manifest.parent
    assert first.path == str(folder / "a.onnx") and second.name == "second"
    assert arguments(first.options) == [
        f"--data={folder / 'd.npz'}",
        "--per-class=10",
        "--held-out=test",
        "--fail-under=nmf.mixed=0.5",
        f"--preprocess={folder / 'p.json'}",
        "--preprocess=size=4",
    ]
    assert arguments(second.options) == ["--layers=r*", "--layers=s*"]


def test_csv_has_columns_of_the_same_names(tmp_path: Path) -> None:
    manifest = tmp_path / "m.csv"
    manifest.write_text(
        "path,data,exact,fail_under,name\n"
        "a.onnx,d.npz,TRUE,nmf.mixed=0.5; pca.mixed=0.4,\n"
        "b.onnx,d.npz,no,,b\n"
    )
    first, second = read_entries([manifest])
    assert arguments(first.options)[1:] == [
        "--exact",
        "--fail-under=nmf.mixed=0.5",
        "--fail-under=pca.mixed=0.4",
    ]
    assert second.name == "b" and arguments(second.options) == [f"--data={tmp_path / 'd.npz'}"]


def test_patterns_and_folders_give_models_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b.onnx", "a.onnx", "c.txt", "deep/d.onnx"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [Path(e.path).name for e in read_entries([tmp_path / "*.onnx"])] == ["a.onnx", "b.onnx"]
    assert [Path(e.path).name for e in read_entries([tmp_path])] == ["a.onnx", "b.onnx", "d.onnx"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[[model]]\npath = "a"\nper_clas = 1\n', "model 1: unknown key 'per_clas'; did you mean"),
        ('[[model]]\npath = "a"\njson = "x"\n', "unknown key 'json'"),
        ('[[model]]\ndata = "d"\n', "model 1 has no path"),
        ('[[model]]\npath = "a"\nper-class = 1\nper_class = 2\n', "given twice"),
        ('[defaults]\ndata = "d"\n', "unknown key 'defaults'"),
        ('[model]\npath = "a"\n', r"\[\[model\]\]"),
        ("model = [1]\n", "give a table"),
        ("", "there is no model"),
        ("= 1", "is no TOML"),
    ],
)
def test_what_is_wrong_with_a_manifest_is_said(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "m.toml").write_text(text)
    with pytest.raises((UsageError, DataError), match=complaint):
        read_entries([tmp_path / "m.toml"])


def test_a_manifest_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.toml"):
        read_entries([tmp_path / "gone.toml"])
    (tmp_path / "m.csv").write_bytes(b"\xff\xfe\x00path")
    with pytest.raises(DataError, match="not UTF-8"):
        read_entries([tmp_path / "m.csv"])
    (tmp_path / "m.csv").write_text("path,data\na,b,c\n")
    with pytest.raises(DataError, match="line 2 has more cells"):
        read_entries([tmp_path / "m.csv"])


@pytest.mark.parametrize("value", ["maybe", 2, [True], None])
def test_a_flag_is_true_or_false(value: object) -> None:
    (entry,) = make_entries([{"path": "a", "exact": value}], Path(), "here")
    with pytest.raises(UsageError, match="neither true nor false"):
        arguments(entry.options)
