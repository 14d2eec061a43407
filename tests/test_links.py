"""Weights behind links: what installers and hubs lay out is read, the rest on request."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path

import numpy as np
import onnx
import pytest

from onnxmem import graph, links
from onnxmem.errors import ModelFileError

TEXT = """<ir_version: 8, opset_import: ["": 17]> network (float[n,64] x) => (float[n,3] y) {
    a = MatMul(x, w) r = Relu(a) y = MatMul(r, v) }"""


def write(folder: Path, name: str = "m.onnx") -> Path:
    """Write a model and, beside it, its weights."""
    folder.mkdir(parents=True, exist_ok=True)
    proto, rng = onnx.parser.parse_model(TEXT), np.random.default_rng(0)
    for tensor, shape in (("w", (64, 64)), ("v", (64, 3))):
        array = rng.normal(size=shape).astype(np.float32)
        proto.graph.initializer.append(onnx.numpy_helper.from_array(array, tensor))
    onnx.save(proto, folder / name, save_as_external_data=True, location=f"{name}_data",
              size_threshold=64)  # fmt: skip
    return folder / name


def weights(model: graph.Model) -> np.ndarray:
    """Return the content of the first weights, from wherever they are."""
    array = graph.constant(model, "w")
    assert array is not None
    return array


EXPECTED = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)


def linked(folder: Path) -> Path:
    """Write a model whose weights have a second hard link."""
    model = write(folder)
    os.link(folder / "m.onnx_data", folder.parent / "elsewhere")
    return model


def test_a_second_hard_link_is_refused_unless_links_are_trusted(tmp_path: Path) -> None:
    model = linked(tmp_path / "a")
    with pytest.raises(ModelFileError, match=r"2 hard links.*--trust-links"):
        graph.load(model)
    with links.trusting_links():
        found = graph.load(model)
    assert np.array_equal(weights(found), EXPECTED)
    with pytest.raises(ModelFileError):
        graph.load(model)


@pytest.mark.parametrize("true", [True, False])
def test_the_record_of_a_package_vouches_by_the_hash(tmp_path: Path, true: bool) -> None:
    model = linked(tmp_path / "site" / "package")
    digest = hashlib.sha256((tmp_path / "site/package/m.onnx_data").read_bytes()).digest()
    text = base64.urlsafe_b64encode(digest if true else bytes(32)).decode().rstrip("=")
    (tmp_path / "site" / "package-1.dist-info").mkdir()
    record = tmp_path / "site" / "package-1.dist-info" / "RECORD"
    record.write_text(f"package/m.onnx,,\npackage/m.onnx_data,sha256={text},1\nbroken\n")
    if true:
        assert np.array_equal(weights(graph.load(model)), EXPECTED)
    else:
        with pytest.raises(ModelFileError, match="hard links"):
            graph.load(model)


@pytest.mark.parametrize("true", [True, False])
def test_the_record_of_a_conda_package_vouches_by_the_hash(tmp_path: Path, true: bool) -> None:
    model = linked(tmp_path / "env" / "share")
    digest = hashlib.sha256((tmp_path / "env/share/m.onnx_data").read_bytes()).hexdigest()
    entry = {"_path": "share/m.onnx_data", "sha256": digest if true else "0" * 64}
    (tmp_path / "env" / "conda-meta").mkdir()
    (tmp_path / "env/conda-meta/bad.json").write_text("{")
    (tmp_path / "env/conda-meta/p.json").write_text(json.dumps({"paths_data": {"paths": [entry]}}))
    if true:
        graph.load(model)
    else:
        with pytest.raises(ModelFileError, match="hard links"):
            graph.load(model)


@pytest.mark.parametrize(("owner", "own", "taken"), [(0, 1000, True), (0, 0, False),
                                                     (1000, 1000, False)])  # fmt: skip
def test_what_root_installed_is_read_by_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: int, own: int, taken: bool
) -> None:
    model = linked(tmp_path / "a")
    monkeypatch.setattr(links.os, "geteuid", lambda: own, raising=False)

    plain = links.Path.stat

    class Owned:
        def __init__(self, found: os.stat_result) -> None:
            self._found, self.st_uid = found, owner

        def __getattr__(self, name: str) -> object:
            return getattr(self._found, name)

    monkeypatch.setattr(links.Path, "stat", lambda self, **how: Owned(plain(self, **how)))
    assert links.may_have_links(model, model.with_name("m.onnx_data")) is taken


def hub(folder: Path) -> Path:
    """Lay a model out as the cache of Hugging Face's hub does."""
    write(folder / "blobs")
    place = folder / "snapshots" / "abc" / "onnx"
    place.mkdir(parents=True)
    (folder / "blobs" / "m.onnx").rename(folder / "blobs" / "1")
    (folder / "blobs" / "m.onnx_data").rename(folder / "blobs" / "2")
    (place / "m.onnx").symlink_to("../../../blobs/1")
    (place / "m.onnx_data").symlink_to("../../../blobs/2")
    return place / "m.onnx"


def test_the_cache_of_the_hub_is_read(tmp_path: Path) -> None:
    model = graph.load(hub(tmp_path / "models--a--b"))
    assert model.weights == tmp_path / "models--a--b" / "blobs"
    assert np.array_equal(weights(model), EXPECTED)


def test_a_blob_that_leads_further_is_refused(tmp_path: Path) -> None:
    path = hub(tmp_path / "models--a--b")
    blob = tmp_path / "models--a--b" / "blobs" / "2"
    blob.rename(tmp_path / "secret")
    blob.symlink_to(tmp_path / "secret")
    with pytest.raises(ModelFileError, match=r"outside its own folder.*--trust-links"):
        graph.load(path)


def test_a_link_out_of_the_folder_is_refused_unless_links_are_trusted(tmp_path: Path) -> None:
    path = write(tmp_path / "a")
    (tmp_path / "b").mkdir()
    path.with_name("m.onnx_data").rename(tmp_path / "b" / "data")
    path.with_name("m.onnx_data").symlink_to("../b/data")
    with pytest.raises(ModelFileError, match=r"outside its own folder.*--trust-links"):
        graph.load(path)
    with links.trusting_links():
        assert np.array_equal(weights(graph.load(path)), EXPECTED)


def test_links_within_the_folder_need_no_trust(tmp_path: Path) -> None:
    path = write(tmp_path / "a")
    path.with_name("m.onnx_data").rename(tmp_path / "a" / "data")
    path.with_name("m.onnx_data").symlink_to("data")
    assert np.array_equal(weights(graph.load(path)), EXPECTED)


def test_a_location_outside_is_refused_though_links_are_trusted(tmp_path: Path) -> None:
    path = write(tmp_path / "a")
    path.with_name("m.onnx_data").rename(tmp_path / "data")
    proto = onnx.load(path, load_external_data=False)
    for tensor in proto.graph.initializer:
        tensor.external_data[0].value = "../data"
    path.write_bytes(proto.SerializeToString())
    with links.trusting_links(), pytest.raises(ModelFileError, match="outside its own folder"):
        graph.load(path)
