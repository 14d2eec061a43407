"""Which samples are memorized: found on a network that knows its samples, however they come."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from sample_networks import Sample

import onnxmem
from onnxmem import models
from onnxmem.errors import DataError
from onnxmem.evidence import neighbourhood
from onnxmem.records import SamplesReport


@pytest.fixture(scope="module")
def noisy() -> models.Network:
    return models.network("vowels-mlp-p20")


@pytest.fixture(scope="module")
def found(noisy: models.Network) -> SamplesReport:
    return onnxmem.samples(noisy.path, noisy.data_path)


def plain(report: SamplesReport) -> dict[str, Any]:
    values = report.to_dict()
    del values["timings"]
    return values


def test_samples_come_in_the_order_of_the_data_with_what_is_known_of_them(
    found: SamplesReport, noisy: models.Network
) -> None:
    data = np.load(noisy.data_path)
    train = data["split"] == "train"
    assert [one.label for one in found.samples] == data["y"][train].tolist()
    assert [one.id for one in found.samples] == data["id"][train].astype(str).tolist()
    assert [one.row for one in found.samples] == list(range(train.sum()))
    for one in found.samples:
        assert one.fitted == (one.prediction == one.label)
        assert one.memorized == (one.fitted and one.margin > 1e-6)
        assert one.strong == (one.fitted and one.margin > 0.3)
        assert (one.neighbours_say != one.label) == (one.margin > 0) or abs(one.margin) < 1e-5
        assert bool(one.neighbours) == (one.margin > 0)


def test_wrong_labels_score_higher_than_right_ones(
    found: SamplesReport, noisy: models.Network
) -> None:
    data = np.load(noisy.data_path)
    wrong = (data["y"] != data["y_true"])[data["split"] == "train"]
    scores = np.array([one.score for one in found.samples])
    assert np.mean(scores[wrong][:, None] > scores[~wrong]) > 0.95


def test_the_network_has_its_numbers(found: SamplesReport) -> None:
    network = found.network
    assert network is not None
    assert (network.samples, network.fitted) == (460, 1.0)
    assert 0.1 < network.memorized_share.low < network.memorized_share.value < 0.3
    assert network.label_noise.found is True
    assert network.held_out_samples == 180
    assert network.held_out_disagreement is not None
    assert found.layers[0].tensor == "input"
    shares = [layer.suspects_agreement for layer in found.layers]
    assert shares == sorted(shares)


def test_neither_the_order_of_samples_nor_the_budget_changes_a_number(
    found: SamplesReport, noisy: models.Network
) -> None:
    data = dict(np.load(noisy.data_path))
    order = np.random.default_rng(0).permutation(len(data["y"]))
    turned = {name: array[order] for name, array in data.items()}
    other = onnxmem.samples(noisy.path, turned, memory=64 * 2**20)
    assert other.network == found.network
    assert other.layers == found.layers
    by_id = {one.id: one for one in other.samples}
    train = np.flatnonzero(turned["split"] == "train")
    for one in found.samples:
        same = by_id[one.id]
        rows = {int(turned["id"][train[row]]) for row in same.neighbours}
        assert replace(same, row=0, neighbours=()) == replace(one, row=0, neighbours=())
        assert len(rows) == len(one.neighbours)


def test_what_was_found_before_is_taken_from_the_store(
    noisy: models.Network, found: SamplesReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = onnxmem.samples(noisy.path, noisy.data_path, cache=tmp_path)

    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("the network ran again")

    monkeypatch.setattr(neighbourhood, "collect", fail)
    again = onnxmem.samples(noisy.path, noisy.data_path, cache=tmp_path)
    assert plain(first) == plain(again) == plain(found)


def test_a_run_that_was_killed_goes_on_where_it_was(
    noisy: models.Network, found: SamplesReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[str] = []
    search = neighbourhood.Search._search

    def killed(self: Any, tensor: str, *rest: Any) -> Any:
        if len(searched) == 2:
            raise KeyboardInterrupt
        searched.append(tensor)
        return search(self, tensor, *rest)

    monkeypatch.setattr(neighbourhood.Search, "_search", killed)
    with pytest.raises(KeyboardInterrupt):
        onnxmem.samples(noisy.path, noisy.data_path, cache=tmp_path)

    def counted(self: Any, tensor: str, *rest: Any) -> Any:
        searched.append(tensor)
        return search(self, tensor, *rest)

    monkeypatch.setattr(neighbourhood.Search, "_search", counted)
    again = onnxmem.samples(noisy.path, noisy.data_path, cache=tmp_path)
    assert len(searched) == len(set(searched)) == 4
    assert plain(again) == plain(found)


@pytest.mark.parametrize(
    "change", [{"seed": 1}, {"pool": "mean"}, {"exact": True}, {"memory": 2**26}]
)
def test_what_may_change_a_number_is_found_again(
    mlp: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    onnxmem.samples(mlp.path, mlp.x, mlp.y, cache=tmp_path)
    ran: list[Any] = []
    collect = neighbourhood.collect

    def counted(*given: Any, **named: Any) -> Any:
        ran.append(given)
        return collect(*given, **named)

    monkeypatch.setattr(neighbourhood, "collect", counted)
    onnxmem.samples(mlp.path, mlp.x, mlp.y, cache=tmp_path)
    assert not ran
    onnxmem.samples(mlp.path, mlp.x, mlp.y, cache=tmp_path, **change)
    assert ran


def test_copies_are_no_neighbours_of_each_other(noisy: models.Network) -> None:
    data = dict(np.load(noisy.data_path))
    train = data["split"] == "train"
    x, y = data["x"][train], data["y"][train]
    once = onnxmem.samples(noisy.path, x, y)
    thrice = onnxmem.samples(noisy.path, np.tile(x, (3, 1)), np.tile(y, 3))
    assert "920 of 1,380 training samples are copies of others" in thrice.notes[0]
    assert [one.margin for one in thrice.samples[:460]] == [one.margin for one in once.samples]
    assert once.network is not None and thrice.network is not None
    assert thrice.network.memorized_share.value == once.network.memorized_share.value


def test_a_held_out_sample_that_was_trained_on_is_told_and_not_its_own_neighbour(
    noisy: models.Network,
) -> None:
    data = dict(np.load(noisy.data_path))
    train = data["split"] == "train"
    x, y = data["x"][train], data["y"][train]
    found = onnxmem.samples(noisy.path, x, y, held_out=x[:50])
    assert "50 of 50 held-out samples are among the training samples" in found.notes
    assert found.network is not None
    assert found.network.held_out_disagreement is not None
    assert found.network.held_out_disagreement.value > 0.05


def test_held_out_samples_may_come_from_elsewhere_or_from_other_splits(
    noisy: models.Network,
) -> None:
    data = dict(np.load(noisy.data_path))
    train = data["split"] == "train"
    named = onnxmem.samples(noisy.path, data)
    given = onnxmem.samples(
        noisy.path,
        {"x": data["x"][train], "y": data["y"][train]},
        held_out={"x": data["x"][~train], "y": data["y"][~train]},
    )
    assert given.network == named.network
    split = np.where(train, "train", "Later")
    other = onnxmem.samples(noisy.path, data | {"split": split}, held_out=["later"])
    assert other.network == named.network
    assert onnxmem.samples(noisy.path, data | {"split": split}).network.held_out_samples == 0


def test_data_without_labels_are_refused(mlp: Sample) -> None:
    with pytest.raises(DataError, match=r"give an array 'y'.*the data hold 'x'"):
        onnxmem.samples(mlp.path, mlp.x)


@pytest.mark.parametrize(
    ("count", "label", "reason"),
    [
        (20, None, "20 different training samples are too few"),
        (96, 0, "all samples have one label"),
        (96, "shuffled", "at chance on the training samples"),
    ],
)
def test_where_nothing_can_be_told_the_reason_is_a_line(
    mlp: Sample, count: int, label: Any, reason: str
) -> None:
    y = mlp.y[:count]
    if label == 0:
        y = np.zeros(count, int)
    elif label == "shuffled":
        y = (y + np.arange(count) // 24 + 1) % 4
    found = onnxmem.samples(mlp.path, mlp.x[:count], y)
    assert found.network is None
    assert reason in found.reason and "\n" not in found.reason
    assert found.exit_code == 3
    assert not found.samples


def test_a_class_of_one_sample_is_memorized_if_it_is_fitted(mlp: Sample) -> None:
    rows = np.concatenate([np.flatnonzero(mlp.y != 3), np.flatnonzero(mlp.y == 3)[:1]])
    found = onnxmem.samples(mlp.path, mlp.x[rows], mlp.y[rows])
    assert found.samples[-1].memorized
    assert found.samples[-1].depth is None


def test_a_network_without_sites_says_so(tmp_path: Path, mlp: Sample) -> None:
    from text_networks import write

    path = write(
        tmp_path / "net.onnx", "(float[N,10] x) => (float[N,4] y) { y = MatMul(x, w) }", w=(10, 4)
    )
    found = onnxmem.samples(path, mlp.x, mlp.y)
    assert found.network is None
    assert "has no ReLU" in found.reason


def test_an_audit_tells_the_same_and_names_the_most_memorized(
    noisy: models.Network, found: SamplesReport
) -> None:
    report = onnxmem.audit(noisy.path, noisy.data_path, compress=["pca"], ranks=[1, 4])
    evidence = report.evidence
    assert evidence is not None
    assert evidence.network == found.network
    assert evidence.layers == found.layers
    margins = [one.margin for one in evidence.samples]
    assert margins == sorted(margins, reverse=True)
    assert all(one.memorized for one in evidence.samples)
    assert set(evidence.samples) <= set(found.samples)


@pytest.mark.parametrize(
    ("key", "limit", "passed"),
    [
        ("memorized_share", 0.05, False),
        ("memorized_share", 0.5, True),
        ("label_noise", 0.05, False),
        ("label_noise", 0.12, True),
        ("strong_share", 0.9, True),
        ("held_out_disagreement", 0.01, False),
    ],
)
def test_gates_hold_the_lower_bound_down(
    noisy: models.Network, key: str, limit: float, passed: bool
) -> None:
    report = onnxmem.audit(
        noisy.path, noisy.data_path, compress=["pca"], ranks=[1, 4], fail_over={key: limit}
    )
    (gate,) = report.gates
    assert (gate.key, gate.threshold, gate.passed) == (key, limit, passed)
    assert gate.bound is not None and gate.value is not None and gate.bound <= gate.value
    assert report.verdict == ("pass" if passed else "fail")


def test_a_gate_without_a_value_is_undecided(noisy: models.Network) -> None:
    data = dict(np.load(noisy.data_path))
    train = data["split"] == "train"
    report = onnxmem.audit(
        noisy.path,
        data["x"][train],
        data["y"][train],
        compress=["pca"],
        ranks=[1, 4],
        fail_over={"held_out_disagreement": 0.5},
    )
    assert report.verdict == "inconclusive"
    assert "held_out_disagreement" in report.reason


def test_neighbours_on_a_device_are_those_on_the_cpu(mlp: Sample, fake_gpu: ModuleType) -> None:
    on_cpu = onnxmem.samples(mlp.path, mlp.x, mlp.y, device="cpu")
    on_cuda = onnxmem.samples(mlp.path, mlp.x, mlp.y, device="cuda")
    assert on_cuda.environment["provider"] == "CUDAExecutionProvider"
    assert on_cuda.network == on_cpu.network
    for one, other in zip(on_cpu.samples, on_cuda.samples, strict=True):
        assert other.margin == pytest.approx(one.margin, abs=1e-3)


def test_held_out_labels_that_are_names_count_classes_as_the_training_data_do(
    noisy: models.Network,
) -> None:
    data = dict(np.load(noisy.data_path))
    train = data["split"] == "train"
    x, y = data["x"][train], data["y"][train]
    held = ~train & (data["y"] >= 2)  # by themselves they would count from 0
    names = np.array([f"class {label}" for label in range(int(y.max()) + 1)])
    found = onnxmem.samples(
        noisy.path, x, names[y], held_out={"x": data["x"][held], "y": names[data["y"][held]]}
    )
    plainly = onnxmem.samples(
        noisy.path, x, y, held_out={"x": data["x"][held], "y": data["y"][held]}
    )
    assert found.network is not None and plainly.network is not None
    assert found.network.held_out_accuracy == plainly.network.held_out_accuracy
    elsewhere = np.full(int(held.sum()), "somewhere else")
    with pytest.raises(DataError, match="classes that the training data lack: somewhere else"):
        onnxmem.samples(noisy.path, x, names[y], held_out={"x": data["x"][held], "y": elsewhere})
