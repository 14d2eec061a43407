"""Data as people keep it, from outside: every format gives the audit that an archive gives."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from sample_networks import CLASSES, PER_CLASS, Sample, cnn_parts, with_readout

Command = Callable[..., Any]

QUICK = ("--ranks", "1,4", "--compress", "nmf", "--batch", "mixed", "--json", "out.json")
NAMES = ("ape", "bee", "cat", "dog")


@pytest.fixture
def audited(command: Command, folder: Path) -> Callable[..., dict[str, Any]]:
    """Return the function that audits and returns the report."""

    def run(model: Path, *options: object, code: int = 0) -> dict[str, Any]:
        outcome = command("audit", model, *QUICK, *options)
        assert outcome.code == code, outcome
        report: dict[str, Any] = json.loads((folder / "out.json").read_text("utf-8"))
        return report

    return run


def same(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Check that two reports differ in where their data lie alone."""
    one["data"].pop("path")
    other["data"].pop("path")
    one["data"].pop("options")
    other["data"].pop("options")
    assert one | {"timings": {}} == other | {"timings": {}}


def test_array_with_labels_and_folder_of_arrays(
    audited: Callable[..., dict[str, Any]], mlp: Sample, folder: Path
) -> None:
    (folder / "arrays").mkdir()
    np.save(folder / "arrays" / "x.npy", mlp.x)
    np.save(folder / "arrays" / "y.npy", mlp.y)
    expected = audited(mlp.path, "--data", mlp.data)
    same(audited(mlp.path, "--data", "arrays"), dict(expected, data=dict(expected["data"])))
    alone = audited(mlp.path, "--data", "arrays/x.npy", "--labels", "arrays/y.npy")
    same(alone, expected)
    bare = audited(mlp.path, "--data", "arrays/x.npy")
    assert bare["baseline"]["metric"] == "fidelity"
    assert "no labels 'y' were given" in bare["data"]["notes"][0]


def test_table_with_features_in_columns(
    audited: Callable[..., dict[str, Any]], mlp: Sample, folder: Path
) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    columns = {f"f{n}": mlp.x[:, n] for n in range(10)} | {"target": mlp.y}
    parquet.write_table(pa.table(columns), folder / "t.parquet", row_group_size=7)
    table = audited(mlp.path, "--data", "t.parquet", "--label-column", "target")
    assert table["data"]["options"] == {"label_column": "target"}
    note, few = table["data"].pop("notes")
    assert note == "x are the columns f0, f1, f2, f3, f4 and 5 more"
    archive = audited(mlp.path, "--data", mlp.data)
    assert archive["data"].pop("notes") == [few]
    same(table, archive)


@pytest.fixture
def album(folder: Path) -> tuple[Path, np.ndarray, np.ndarray]:
    """Write a folder of grey images and the network that knows them; pixels are divided by 255."""
    pillow = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(0)
    y = np.tile(np.arange(CLASSES), PER_CLASS)
    centres = rng.integers(0, 256, (CLASSES, 6, 6))
    pixels = (centres[y] + rng.integers(-30, 30, (len(y), 6, 6))).clip(0, 255).astype(np.uint8)
    for number, (image, label) in enumerate(zip(pixels, y, strict=True)):
        (folder / "album" / NAMES[label]).mkdir(parents=True, exist_ok=True)
        file = folder / "album" / NAMES[label] / f"{number}.png"
        pillow.fromarray(image).save(file)
    x = (pixels[:, None] / 255).astype(np.float32)
    nodes, weights = cnn_parts()
    onnx.save(with_readout(nodes, weights, ["n", 1, 6, 6], {"x": x}, y), folder / "net.onnx")
    return folder / "net.onnx", x, y


Album = tuple[Path, np.ndarray, np.ndarray]


def test_images_as_the_network_knows_them(
    audited: Callable[..., dict[str, Any]], album: Album, folder: Path
) -> None:
    model, x, y = album
    report = audited(model, "--data", "album")
    np.savez(folder / "d.npz", x=x, y=y)
    archive = audited(model, "--data", "d.npz")
    assert report["baseline"] == archive["baseline"]
    assert report["environment"]["pillow"] == metadata.version("pillow")
    assert "pillow" not in archive["environment"]
    assert report["baseline"]["value"] == 1
    assert "sorted order (ape = 0" in report["data"]["notes"][0]


def test_class_names_change_what_is_true(
    audited: Callable[..., dict[str, Any]], album: Album, folder: Path
) -> None:
    (folder / "names.txt").write_text("\n".join(reversed(NAMES)))
    report = audited(album[0], "--data", "album", "--class-names", "names.txt", code=3)
    assert "classes in another order (labels 0 as 3" in report["reason"]


def test_preparation_that_is_wrong_is_at_chance_and_named(
    audited: Callable[..., dict[str, Any]], album: Album
) -> None:
    wrong = ("--preprocess", "scale=-1", "--preprocess", "mean=3")
    report = audited(album[0], "--data", "album", *wrong, code=3)
    assert "at chance" in report["reason"]
    assert "times -1, mean 3, std none" in report["reason"]
    assert "assumed: size and crop" in report["reason"]


def test_images_prepared_otherwise_are_measured_again(
    audited: Callable[..., dict[str, Any]], album: Album
) -> None:
    one, other = (
        audited(album[0], "--data", "album", "--preprocess", f"std={std}") for std in (1, 0.9)
    )
    assert one["baseline"] == other["baseline"]
    assert one["layers"] != other["layers"]
    assert one["data"]["sha256"] != other["data"]["sha256"]


def test_preparation_can_stand_in_the_configuration(
    audited: Callable[..., dict[str, Any]], album: Album, folder: Path
) -> None:
    (folder / "onnxmem.toml").write_text('[preprocess]\nsize = "6x6"\nmean = [0.5]\n')
    report = audited(album[0], "--data", "album", "--min-accuracy", "0")
    assert "resized to 6x6" in report["data"]["notes"][0]
    assert "mean 0.5" in report["data"]["notes"][0]


def test_split_without_train_is_noted(
    audited: Callable[..., dict[str, Any]], mlp: Sample, folder: Path
) -> None:
    np.savez(folder / "d.npz", x=mlp.x, y=mlp.y, split=np.array(["a", "b"])[mlp.y % 2])
    assert "no split is called 'train'" in audited(mlp.path, "--data", "d.npz")["data"]["notes"][0]


@pytest.mark.parametrize("step", [1, -1])
def test_labels_that_are_counted_otherwise(
    command: Command, mlp: Sample, folder: Path, step: int
) -> None:
    np.savez(folder / "d.npz", x=mlp.x, y=mlp.y + step)
    outcome = command("audit", mlp.path, "--data", "d.npz", *QUICK)
    assert outcome.code == 2
    assert f"save y {'-' if step > 0 else '+'} 1" in outcome.error


def test_images_in_both_layouts_can_be_compared(
    command: Command, album: Album, folder: Path
) -> None:
    model = onnx.load(album[0])
    model.graph.node.insert(
        0, onnx.helper.make_node("Transpose", ["last"], ["x"], perm=[0, 3, 1, 2])
    )
    last = onnx.helper.make_tensor_value_info("last", onnx.TensorProto.FLOAT, ["n", 6, 6, 1])
    model.graph.input[0].CopyFrom(last)
    onnx.save(model, folder / "last.onnx")
    outcome = command("compare", album[0], "last.onnx", "--data", "album", *QUICK)
    assert outcome.code == 0, outcome.err
    reports = json.loads((folder / "out.json").read_text())["reports"]
    assert reports[0]["data"]["sha256"] == reports[1]["data"]["sha256"]
    assert [r["baseline"]["value"] for r in reports] == [1, 1]


def test_outputs_do_not_overwrite_what_is_read(command: Command, mlp: Sample, folder: Path) -> None:
    np.save(folder / "x.npy", mlp.x)
    np.save(folder / "y.npy", mlp.y)
    outcome = command("audit", mlp.path, "--data", "x.npy", "--labels", "y.npy", "--json", "y.npy")
    assert outcome.code == 2
    assert "overwrite" in outcome.error
    outcome = command("audit", mlp.path, "--data", ".", "--json", "x.npy")
    assert outcome.code == 2
    assert "overwrite" in outcome.error


@pytest.mark.parametrize("name", ["expose", "split", "inspect"])
def test_other_commands_take_folders_of_images(
    command: Command, album: Album, folder: Path, name: str
) -> None:
    options = {
        "expose": ("-o", "out.onnx"),
        "split": ("--at", "stem", "-o", "parts"),
        "inspect": ("--verify",),
    }[name]
    assert command(name, album[0], "--data", "album", *options).code == 0


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--labels", "no.npy"), "leave --labels out"),
        (("--label-column", "target"), "'target'"),
        (("--class-names", "no.txt"), "no.txt"),
        (("--preprocess", "size=8"), "leave it out"),
        (("--preprocess", "colour=8"), "'colour'"),
        (("--preprocess", "no.json"), "no.json"),
    ],
)
def test_option_that_cannot_be(
    command: Command, mlp: Sample, options: tuple[str, ...], word: str
) -> None:
    outcome = command("audit", mlp.path, "--data", mlp.data, *QUICK, *options)
    assert outcome.code == 2
    assert word in outcome.error
