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


def shares(family: str) -> set[float]:
    return {network.p for network in models.family(family)}


def test_three_families_cover_every_share_of_noise() -> None:
    covered = [family for family in models.families("labels") if shares(family) == SHARES]
    assert covered == ["mnist-cnn", "mnist1d-mlp", "vowels-mlp"]


def test_within_a_family_one_thing_varies() -> None:
    for family in {network.family for network in NETWORKS}:
        members = models.family(family)
        assert len({(n.varies, n.seed, n.init) for n in members}) == 1
        assert members[0].varies == "labels" or len(shares(family)) == 1


def test_a_second_start_has_the_labels_of_the_first() -> None:
    for network in models.family("vowels-mlp-init1"):
        first = models.network(network.name.replace("-init1", ""))
        assert (first.data_sha256, first.seed) == (network.data_sha256, network.seed)
        assert (first.init, network.init) == (0, 1)
        assert first.sha256 != network.sha256


def test_a_course_has_checkpoints_of_one_training_by_epoch() -> None:
    (course,) = models.families("epoch")
    checkpoints = models.family(course)
    epochs = [network.epochs for network in checkpoints]
    assert epochs == sorted(set(epochs))
    assert (epochs[0], len(epochs)) == (1, 9)
    assert len({(network.data, network.recipe) for network in checkpoints}) == 1
    assert checkpoints[0].train_accuracy < 0.7 < 0.99 < checkpoints[-1].train_accuracy


def test_a_course_of_noise_is_best_before_its_end() -> None:
    accuracies = [network.heldout_accuracy for network in models.family("mnist-course")]
    assert max(accuracies) - accuracies[-1] > 0.01


def test_names_are_unique_and_lead_to_their_network() -> None:
    assert len({network.name for network in NETWORKS}) == len(NETWORKS)
    assert all(models.network(network.name) is network for network in NETWORKS)


def test_unknown_name_says_what_there_is() -> None:
    with pytest.raises(LookupError, match=r"no network 'resnet' ships.*mnist-cnn-p100"):
        models.network("resnet")
    with pytest.raises(LookupError, match=r"no family 'resnet' ships.*vowels-mlp"):
        models.family("resnet")


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


@pytest.mark.parametrize("family", models.families("labels"))
def test_finished_networks_know_their_labels(family: str) -> None:
    for network in models.family(family):
        finished = not network.name.endswith("-early")
        assert (network.train_accuracy >= 0.99) == finished


@pytest.mark.parametrize("family", models.families("labels"))
def test_heldout_accuracy_falls_with_p(family: str) -> None:
    finished = [n for n in models.family(family) if not n.name.endswith("-early")]
    accuracies = [network.heldout_accuracy for network in finished]
    assert [network.p for network in finished] == sorted({network.p for network in finished})
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
    assert archive.tell() <= 8.7 * 10**6
