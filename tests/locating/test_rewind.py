"""Segments of a checkpoint in the place of the network's own, held against numbers by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import layered_networks as layered
import numpy as np
import pytest
import sample_networks
from sample_networks import Sample

from onnxmem.errors import UsageError
from onnxmem.locating.crowd import Crowd
from onnxmem.locating.matching import match_sites
from onnxmem.locating.rewind import Splicer, rewind
from onnxmem.network.opening import Opened, open_network
from onnxmem.network.settings import RunSettings

EXPORTS = Path(__file__).parents[1] / "exports"


@contextmanager
def opened(*paths: Path, x: np.ndarray, **settings: object) -> Iterator[list[Opened]]:
    """Open networks on the same samples."""
    asked = RunSettings(device="cpu", **settings)  # type: ignore[arg-type]
    with ExitStack() as stack:
        names = ("x", "features")
        arrays = dict.fromkeys(names, x) | {"y": np.zeros(len(x), np.int64)}
        yield [stack.enter_context(open_network(path, arrays, asked)) for path in paths]


def splicer(own: Opened, other: Opened, count: int) -> Splicer:
    pairs = match_sites(own, other, ("auto",), np.arange(2))
    return Splicer(own, other, pairs, np.arange(count))


def outputs(spliced: Splicer, number: int) -> np.ndarray:
    """Return what the network with a segment of the other one gives for all samples."""
    lent = spliced.lend(number)
    rows = spliced.pieces.rows_of(0)
    before = lent.before(rows)
    return np.asarray(lent.after(lent.other_segment(rows, before), before, rows))


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_rewinding_to_itself_changes_no_bit(name: str, request: pytest.FixtureRequest) -> None:
    sample: Sample = request.getfixturevalue(name)
    with opened(sample.path, sample.path, x=sample.x) as (own, other):
        spliced = splicer(own, other, len(sample.x))
        whole = spliced.untouched_output(np.arange(len(sample.x)))
        for number in range(spliced.segments):
            assert np.array_equal(outputs(spliced, number), whole)
            assert spliced.splice(number).relative_error == 0


@pytest.mark.parametrize("styles", [("gemm", "gemm"), ("gemm", "matmul"), ("matmul", "gemm")])
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_one_layer_is_that_of_the_checkpoint_however_it_is_written(
    layer: int, styles: tuple[str, str], tmp_path: Path
) -> None:
    x, _ = layered.samples()
    final, early = layered.dense(1), layered.dense(2)
    paths = [
        layered.write(tmp_path / f"{name}.onnx", network, style)
        for name, network, style in zip(("a", "b"), (final, early), styles, strict=True)
    ]
    with opened(*paths, x=x) as (own, other):
        spliced = splicer(own, other, len(x))
        assert spliced.segments == 3
        expected = final.changed(layer, early).logits(x)
        np.testing.assert_allclose(outputs(spliced, layer), expected, rtol=1e-5, atol=1e-5)
        assert np.array_equal(spliced.splice(layer).predictions, expected.argmax(axis=1))


def test_accuracies_are_those_of_either_group_on_the_given_labels(tmp_path: Path) -> None:
    x, y = layered.samples()
    final, early = layered.dense(1), layered.dense(2)
    suspect = np.arange(len(y)) % 5 == 0
    crowd = Crowd(np.arange(len(y)), suspect, y)
    paths = [layered.write(tmp_path / f"{n}.onnx", net) for n, net in (("a", final), ("b", early))]
    with opened(*paths, x=x) as (own, other):
        pairs = match_sites(own, other, ("auto",), np.arange(2))
        found = rewind(own, other, pairs, crowd, lambda done, total: None)
    for network, told in ((final, found.network), (early, found.rewound)):
        hits = network.logits(x).argmax(axis=1) == y
        assert (told.clean, told.suspect) == (hits[~suspect].mean(), hits[suspect].mean())
    for layer, segment in enumerate(found.segments):
        hits = final.changed(layer, early).logits(x).argmax(axis=1) == y
        assert segment.clean_accuracy == hits[~suspect].mean()
        assert segment.suspect_accuracy == hits[suspect].mean()
    ends = [(one.from_, one.to, one.tensors) for one in found.segments]
    assert ends == [
        ("input", "gemm_relu1", ("x",)),
        ("gemm_relu1", "gemm_relu2", ("gemm_relu1",)),
        ("gemm_relu2", "gemm_2", ("gemm_relu2",)),
    ]


def test_the_segment_that_alone_was_trained_is_the_lowest(tmp_path: Path) -> None:
    x, _ = layered.samples()
    early = layered.dense(2)
    final = early.changed(1, layered.dense(1))
    y = final.logits(x).argmax(axis=1)
    paths = [layered.write(tmp_path / f"{n}.onnx", net) for n, net in (("a", final), ("b", early))]
    with opened(*paths, x=x) as (own, other):
        pairs = match_sites(own, other, ("auto",), np.arange(2))
        crowd = Crowd(np.arange(len(y)), y == y[0], y)
        found = rewind(own, other, pairs, crowd, lambda done, total: None)
    assert found.lowest == "gemm_relu2"
    first, second, last = found.segments
    assert (first.clean_accuracy, first.suspect_accuracy) == (1, 1)
    assert (last.clean_accuracy, last.suspect_accuracy) == (1, 1)
    assert (second.clean_accuracy, second.suspect_accuracy) == (
        found.rewound.clean,
        found.rewound.suspect,
    )


def test_probabilities_and_logits_are_told_apart(tmp_path: Path) -> None:
    x, y = layered.samples()
    network = layered.dense(1)
    paths = [
        layered.write(tmp_path / "a.onnx", network),
        layered.write(tmp_path / "b.onnx", network, softmax=True),
    ]
    with opened(*paths, x=x) as (own, other):
        pairs = match_sites(own, other, ("auto",), np.arange(2))
        crowd = Crowd(np.arange(len(y)), y == 0, y)
        found = rewind(own, other, pairs, crowd, lambda done, total: None)
    assert found.notes == (
        "outputs of the network are logits, those of the checkpoint probabilities",
    )
    accuracies = {(one.clean_accuracy, one.suspect_accuracy) for one in found.segments}
    assert accuracies == {(found.network.clean, found.network.suspect)}


def test_a_network_of_fixed_batches_runs_in_such_batches(tmp_path: Path) -> None:
    x, _ = layered.samples()
    final, early = layered.dense(1), layered.dense(2)
    paths = [
        layered.write(tmp_path / "a.onnx", final, batch=7),
        layered.write(tmp_path / "b.onnx", early),
    ]
    expected = final.changed(1, early).logits(x[:17]).argmax(axis=1)
    with opened(*paths, x=x) as (own, other):
        assert np.array_equal(splicer(own, other, 17).splice(1).predictions, expected)


@pytest.mark.parametrize(
    ("network", "checkpoint"),
    [
        ("small-cnn.torch-torchscript", "small-cnn.torch-dynamo"),
        ("small-cnn.torch-dynamo", "small-cnn.torch-norm-kept"),
        ("small-cnn.torch-dynamo", "small-cnn.keras-export"),
        ("small-cnn.jax-relu", "small-cnn.torch-dynamo"),
        ("small-cnn.torch-norm-folded", "small-cnn.jax-maximum"),
        ("small-mlp.torch-dynamo", "small-mlp.tf-maximum"),
    ],
)
def test_exporters_agree_on_every_segment_to_1e_5(network: str, checkpoint: str) -> None:
    rng = np.random.default_rng(0)
    shape = (1, 28, 28) if "cnn" in network else (144,)
    x = rng.random((24, *shape)).astype(np.float32)
    paths = [EXPORTS / f"{name}.onnx" for name in (network, checkpoint)]
    arrays = {"x": x, "y": np.zeros(len(x), np.int64)}
    with ExitStack() as stack:
        asked = RunSettings(device="cpu")
        own, other = (stack.enter_context(open_network(path, arrays, asked)) for path in paths)
        spliced = splicer(own, other, len(x))
        whole = spliced.untouched_output(np.arange(len(x)))
        for number in range(spliced.segments):
            difference = np.abs(outputs(spliced, number) - whole).max()
            assert difference <= 1e-5 * np.abs(whole).max()


def test_a_residual_network_takes_its_segments_from_another(cnn: Sample, tmp_path: Path) -> None:
    nodes, weights = sample_networks.cnn_parts()
    weights["k3"] = -weights["k3"]
    changed = sample_networks.with_readout(nodes, weights, ["n", 1, 6, 6], {"x": cnn.x}, cnn.y)
    early = sample_networks.store(tmp_path, "early", changed, cnn.x, cnn.y)
    with opened(cnn.path, early.path, x=cnn.x) as (own, other):
        spliced = splicer(own, other, len(cnn.x))
        whole = spliced.untouched_output(np.arange(len(cnn.x)))
        same = [np.array_equal(outputs(spliced, number), whole) for number in range(4)]
        assert spliced.splice(2).reads == ("stem", "inner")
    assert same == [True, True, False, False]


def test_other_batch_sizes_are_refused(tmp_path: Path) -> None:
    x, _ = layered.samples()
    path = layered.write(tmp_path / "a.onnx", layered.dense(1))
    with opened(path, path, x=x) as both:
        own, other = (
            replace(one, network=replace(one.network, batch=size))
            for one, size in zip(both, (2, 3), strict=True)
        )
        with pytest.raises(UsageError, match="batches of 2, the checkpoint of 3"):
            Splicer(own, other, (), np.arange(4))
