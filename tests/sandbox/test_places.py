"""Which files a process may use."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import onnxmem
from onnxmem.links import VARIABLE
from onnxmem.sandbox.landlock import available
from onnxmem.sandbox.places import of_data, of_model, of_output, rules, size

Script = Callable[..., subprocess.CompletedProcess[str]]


def test_a_model_comes_with_its_folder_and_that_of_what_it_links_to(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "b").touch()
    (tmp_path / "m.onnx").symlink_to(tmp_path / "blobs" / "b")
    blob = tmp_path / "blobs" / "b"
    assert set(of_model(str(tmp_path / "m.onnx"))) == {str(tmp_path), str(blob.parent), str(blob)}


def test_data_that_are_links_lead_to_where_they_lie(tmp_path: Path) -> None:
    (tmp_path / "data" / "cats").mkdir(parents=True)
    (tmp_path / "far.png").touch()
    (tmp_path / "data" / "cats" / "1.png").symlink_to(tmp_path / "far.png")
    (tmp_path / "data" / "dogs").symlink_to(tmp_path)
    folder = tmp_path / "data"
    assert set(of_data(str(folder))) == {str(folder), str(tmp_path / "far.png"), str(tmp_path)}


def test_an_output_opens_its_folder_and_a_device_itself_alone(tmp_path: Path) -> None:
    assert of_output(str(tmp_path / "r.json")) == (str(tmp_path),)
    assert of_output(str(tmp_path / "a" / "b" / "r.json")) == ()
    assert of_output(os.devnull) == (os.devnull,)


def test_weights_that_are_links_are_open_where_links_are_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "far").touch()
    (tmp_path / "m" / "weights").symlink_to(tmp_path / "far")
    model = str(tmp_path / "m" / "m.onnx")
    assert str(tmp_path / "far") not in of_model(model)
    assert str(tmp_path / "far") in of_model(model, trust=True)
    monkeypatch.setenv(VARIABLE, "1")
    assert str(tmp_path / "far") in of_model(model)


def test_blobs_of_the_hub_and_records_of_packages_are_open(tmp_path: Path) -> None:
    for name in ("blobs", "snapshots/1/onnx", "site-packages/p"):
        (tmp_path / name).mkdir(parents=True)
    assert str(tmp_path / "blobs") in of_model(str(tmp_path / "snapshots/1/onnx/m.onnx"))
    packages = tmp_path / "site-packages"
    assert str(packages) in of_model(str(packages / "p" / "m.onnx"))


def test_a_model_in_a_home_opens_nothing_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (".ssh", "weights"):
        (tmp_path / name).mkdir()
    for name in (".token", "m.onnx", "m.onnx.data"):
        (tmp_path / name).touch()
    opened = {os.path.basename(path) for path in of_model(str(tmp_path / "m.onnx"))}
    assert opened == {"m.onnx", "m.onnx.data", "weights"}


def test_a_model_at_the_root_does_not_open_everything() -> None:
    assert not {"/", "/etc", "/home", "/root"} & set(of_model("/m.onnx"))


def test_nothing_of_a_user_is_open_but_what_was_named(tmp_path: Path) -> None:
    found = rules((str(tmp_path),), ())
    opened = {*found.read, *found.run, *found.write, *found.devices}
    assert str(tmp_path) in found.read and not {"/", "/home", os.path.expanduser("~")} & opened


def test_the_package_is_there_wherever_it_lies() -> None:
    folder = str(Path(onnxmem.__file__).parent)
    assert any(folder.startswith(place) for place in rules((), ()).run)


def test_kernels_that_are_compiled_can_be_kept() -> None:
    compiled = Path(onnxmem.__file__).parent / "factorize" / "compiled"
    assert str(compiled / "__pycache__") in rules((), ()).write
    assert any("numba" in file.read_text("utf-8") for file in compiled.glob("*.py"))


def test_asking_for_places_imports_nothing_heavy(script: Script) -> None:
    code = (
        "from onnxmem.sandbox.places import rules; rules((), ()); import sys; print(*sys.modules)"
    )
    loaded = {name.partition(".")[0] for name in script(code).stdout.split()}
    assert "onnxmem" in loaded and not loaded & {"numpy", "numba", "onnx", "onnxruntime"}


@pytest.mark.skipif(not available().abi, reason="no Landlock")
def test_a_confined_process_imports_and_runs_all_that_an_audit_needs(
    script: Script, tmp_path: Path
) -> None:
    code = (
        "import sys; from onnxmem.sandbox import *; enter(Room(data=2**33));"
        "import onnxruntime, onnxmem.auditing.run, onnxmem.report.html, onnxmem.models, numpy;"
        "assert onnxruntime.get_available_providers();"
        "import tempfile\n"
        "try: open(sys.argv[1])\n"
        "except PermissionError: print('kept out')"
    )
    (tmp_path / "secret").write_text("x")
    done = script(code, tmp_path / "secret")
    assert done.stdout == "kept out\n", done.stderr
    assert sys.platform == "linux"


def test_weights_beside_a_model_count_and_other_models_do_not(tmp_path: Path) -> None:
    for name, count in (("m.onnx", 10), ("m.onnx.data", 100), ("other.onnx", 1000)):
        (tmp_path / name).write_bytes(bytes(count))
    (tmp_path / "folder").mkdir()
    assert size(of_model(str(tmp_path / "m.onnx"))) == 110
    assert size([str(tmp_path / "nothing")]) == 0
