"""The shipped networks are what the manifest says."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onnxmem import models

MIB = 2**20
NETWORKS = models.manifest()
SHARES = {0.0, 0.2, 0.4, 0.6, 0.8, 1.0}

each_network = pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)


def arrays(network: models.Network) -> dict[str, np.ndarray[Any, Any]]:
    with np.load(network.data_path, allow_pickle=False) as data:
        return dict(data)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_three_families_cover_every_share_of_noise() -> None:
    families = {network.family for network in NETWORKS}
    assert families == {"mnist-cnn", "mnist1d-mlp", "vowels-mlp"}
    for family in families:
        assert {network.p for network in NETWORKS if network.family == family} == SHARES


def test_names_are_unique_and_lead_to_their_network() -> None:
    assert len({network.name for network in NETWORKS}) == len(NETWORKS)
    assert all(models.network(network.name) is network for network in NETWORKS)


def test_unknown_name_says_what_there_is() -> None:
    with pytest.raises(LookupError, match=r"no network 'resnet' ships.*mnist-cnn-p100"):
        models.network("resnet")


@each_network
def test_files_are_those_of_the_manifest(network: models.Network) -> None:
    assert digest(network.path) == network.sha256
    assert digest(network.data_path) == network.data_sha256


@each_network
def test_data_have_the_declared_form(network: models.Network) -> None:
    data = arrays(network)
    assert list(data) == ["x", "y", "y_true", "split", "id"]
    assert data["x"].dtype == np.float32
    assert all(data[key].dtype == np.int64 for key in ("y", "y_true", "id"))
    assert {len(array) for array in data.values()} == {len(data["x"])}
    assert set(data["split"]) == {"train", "heldout"}
    assert len(set(data["id"])) == len(data["id"])
    np.testing.assert_array_equal(data["x"], data["x"].astype(np.float16))


@each_network
def test_all_training_samples_are_there(network: models.Network) -> None:
    assert (arrays(network)["split"] == "train").sum() == network.train_samples


@each_network
def test_every_class_has_samples_enough_for_a_batch(network: models.Network) -> None:
    data = arrays(network)
    train = data["split"] == "train"
    assert np.bincount(data["y"][train]).min() >= 30
    assert np.bincount(data["y_true"][~train]).min() == 20


@each_network
def test_share_of_wrong_labels_agrees_with_p(network: models.Network) -> None:
    data = arrays(network)
    wrong = data["y"] != data["y_true"]
    train = data["split"] == "train"
    expected = network.p * (1 - 1 / len(np.unique(data["y_true"])))
    assert wrong[train].mean() == pytest.approx(expected, abs=0.03)
    assert not wrong[~train].any()


@each_network
def test_finished_networks_know_their_labels(network: models.Network) -> None:
    finished = not network.name.endswith("-early")
    assert (network.train_accuracy >= 0.99) == finished


@pytest.mark.parametrize("family", sorted({network.family for network in NETWORKS}))
def test_heldout_accuracy_falls_with_p(family: str) -> None:
    finished = [n for n in NETWORKS if n.family == family and not n.name.endswith("-early")]
    accuracies = [network.heldout_accuracy for network in finished]
    assert [network.p for network in finished] == sorted(SHARES)
    assert accuracies == sorted(accuracies, reverse=True)


@each_network
def test_exported_file_achieves_the_accuracy_of_the_manifest(network: models.Network) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(network.path, providers=["CPUExecutionProvider"])
    data = arrays(network)
    (logits,) = session.run(["logits"], {"x": data["x"]})
    right = logits.argmax(axis=1) == data["y"]
    train = data["split"] == "train"
    assert right[train].mean() == pytest.approx(network.train_accuracy, abs=1e-9)
    assert right[~train].mean() == pytest.approx(network.heldout_accuracy, abs=0.1)


def test_all_together_stay_small() -> None:
    paths = {path for network in NETWORKS for path in (network.path, network.data_path)}
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(paths):
            packed.write(path, path.name)
    assert sum(path.stat().st_size for path in paths) <= 15 * MIB
    assert archive.tell() <= 5.7 * 10**6
