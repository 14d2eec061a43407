"""Folders of images: classes, splits, what is decoded when, and what is refused."""

from __future__ import annotations

import json
import time
import unicodedata
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pytest

from onnxmem.data import Column, Lazy, Samples, images, load, make_samples
from onnxmem.errors import DataError

Image = pytest.importorskip("PIL.Image")


@dataclass(frozen=True)
class Spec:
    name: str = "image"
    dtype: str | None = "float32"
    shape: tuple[Any, ...] | None = ("n", 1, 4, 4)


def save(path: Path, value: int) -> Path:
    """Write a grey image of 4 x 4 pixels of one value."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 4), value, np.uint8)).save(path)
    return path


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Give a folder of two classes, cat (10, 11) and dog (20)."""
    for name, value in (("cat/a.png", 10), ("cat/b.png", 11), ("dog/c.png", 20)):
        save(tmp_path / "pets" / name, value)
    return tmp_path / "pets"


def values(samples: Samples) -> list[float]:
    """Return the grey value of each image, 0 to 255."""
    return [round(255 * float(image.mean())) for image in samples.inputs["image"][:]]


def labels(columns: dict[str, Column]) -> list[int]:
    y = columns["y"]
    assert isinstance(y, np.ndarray)
    return [int(label) for label in y]


def test_folders_in_sorted_order_are_classes(pets: Path) -> None:
    columns = load(pets)
    assert labels(columns) == [0, 0, 1]
    samples = make_samples(columns, [Spec()])
    assert values(samples) == [10, 11, 20]
    assert "sorted order (cat = 0, dog = 1)" in samples.notes[0]
    assert "assumed" in samples.notes[0]


def test_folders_that_are_numbers_are_these_classes(tmp_path: Path) -> None:
    for name in ("2", "10", "7"):
        save(tmp_path / name / "a.png", int(name))
    columns = load(tmp_path)
    assert labels(columns) == [10, 2, 7]
    assert "not their sorted order" in make_samples(columns, [Spec()]).notes[0]


@pytest.mark.parametrize(
    "text",
    [
        "dog\nbird\ncat\n",
        '["dog", "bird", "cat"]',
        '{"dog": 0, "cat": 2}',
        '{"0": "dog", "2": "cat"}',
        '{"0": ["n1", "dog"], "2": ["n2", "cat"]}',
        '{"model_type": "vit", "id2label": {"0": "dog", "2": "cat"}}',
        '{"label2id": {"dog": 0, "cat": 2}, "id2label": {"0": "x"}}',
        '{"architecture": "resnet", "label_names": ["dog", "bird", "cat"]}',
    ],
)
def test_class_names_in_a_file(pets: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "names").write_text(text)
    assert labels(load(pets, class_names=tmp_path / "names")) == [2, 2, 0]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("dog\nbird\n", "does not name the class 'cat'"),
        ("\n", "holds no class names"),
        ("", "is empty"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:4d\n", "git lfs pull"),
        ("a\nb\nc\nd\ne\nf\ng\n", "does not name the classes 'cat', 'dog'; .*'e' and 2 more"),
        ("{", "no class names"),
        ('{"cat": "x", "dog": 1}', "no class names"),
        ('["cat", 3]', "no class names"),
        ("cat\ncat\n", "two classes"),
        ('{"cat": -1, "dog": 0}', "-1"),
    ],
)
def test_class_names_that_do_not_fit(pets: Path, tmp_path: Path, text: str, match: str) -> None:
    (tmp_path / "names").write_text(text)
    with pytest.raises(DataError, match=match):
        load(pets, class_names=tmp_path / "names")


def test_folders_called_train_and_val_hold_splits_and_not_classes(tmp_path: Path) -> None:
    save(tmp_path / "train" / "cat" / "a.png", 10)
    save(tmp_path / "val" / "cat" / "a.png", 30)
    save(tmp_path / "val" / "dog" / "a.png", 40)
    columns = load(tmp_path)
    assert labels(columns) == [0, 0, 1]
    assert values(make_samples(columns, [Spec()])) == [10]
    assert values(make_samples(columns, [Spec()], "val")) == [30, 40]


def test_images_in_deeper_folders_belong_to_the_class(pets: Path) -> None:
    save(pets / "dog" / "more" / "d.png", 21)
    assert labels(load(pets)) == [0, 0, 1, 1]


def test_links_in_a_ring_end(pets: Path) -> None:
    (pets / "dog" / "again").symlink_to(pets / "dog")
    assert labels(load(pets)) == [0, 0, 1]


def test_name_that_is_no_text(pets: Path) -> None:
    (pets / "dog").rename(pets / b"\xff".decode("utf-8", "surrogateescape"))
    make_samples(load(pets), [Spec()]).notes[0].encode("utf-8")


def test_hidden_and_other_files_are_left_out(pets: Path) -> None:
    (pets / "cat" / "notes.txt").write_text("x")
    (pets / "cat" / "._a.png").write_text("x")
    (pets / ".cache").mkdir()
    save(pets / "sheet.png", 1)
    columns = load(pets)
    assert labels(columns) == [0, 0, 1]
    assert "left out: 1 outside of the class folders" in make_samples(columns, [Spec()]).notes[0]


def test_images_without_classes_have_no_labels(tmp_path: Path) -> None:
    save(tmp_path / "a.png", 10)
    columns = load(tmp_path)
    assert "y" not in columns
    assert values(make_samples(columns, [Spec()])) == [10]


def test_only_images_that_are_asked_for_are_decoded(
    pets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = []
    decode = images._decode
    monkeypatch.setattr(
        images, "_decode", lambda file, *how: decoded.append(file) or decode(file, *how)
    )
    samples = make_samples(load(pets), [Spec()])
    assert len(samples.sha256) == 64
    assert not decoded
    samples.inputs["image"][np.array([2])]
    assert decoded == [pets / "dog" / "c.png"]


def test_identity_is_that_of_files_labels_and_preparation_not_of_layout(
    pets: Path, tmp_path: Path
) -> None:
    def identity(*words: str, spec: Spec = Spec(), path: Path = pets) -> str:
        return make_samples(load(path, preprocess=words), [spec]).sha256

    assert identity() == identity(spec=Spec(shape=("n", 4, 4, 1)))
    assert identity() != identity("mean=0.5")
    moved = tmp_path / "moved"
    pets.rename(moved)
    before = identity(path=moved)
    (moved / "dog").rename(moved / "ape")
    assert identity(path=moved) != before
    save(moved / "cat" / "a.png", 99)
    assert identity(path=moved) != before


def test_preparation_from_a_file(pets: Path, tmp_path: Path) -> None:
    config = {"size": {"height": 4, "width": 4}, "do_normalize": False, "rescale_factor": 1.0}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(config))
    columns = load(pets, preprocess=tmp_path / "preprocessor_config.json")
    samples = make_samples(columns, [Spec()])
    assert samples.inputs["image"][:].mean(axis=(1, 2, 3)).tolist() == [10, 11, 20]
    assert "assumed" not in samples.notes[0]


def test_prepared_images_that_do_not_fit_say_how_they_come_out(pets: Path) -> None:
    expected = "axis 2 must be 4; the images come out so: turned upright by EXIF, resized to 8"
    with pytest.raises(DataError, match=expected):
        make_samples(load(pets, preprocess="size=8x8"), [Spec()])


DAMAGED = {
    "no image": b"certainly not",
    "nothing": b"",
    "cut off": None,
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_image_is_named(pets: Path, case: str) -> None:
    file = pets / "cat" / "a.png"
    file.write_bytes(DAMAGED[case] if DAMAGED[case] is not None else file.read_bytes()[:50])
    column = make_samples(load(pets), [Spec()]).inputs["image"]
    with pytest.raises(DataError, match=r"cat/a\.png"):
        column[:]


def test_formats_that_start_programs_are_not_opened(pets: Path) -> None:
    (pets / "cat" / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 4\n")
    with pytest.raises(DataError, match=r"cat/a\.png: it is none of BMP"):
        make_samples(load(pets), [Spec()]).inputs["image"][:]


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "is empty; write or download it again"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\n", "git lfs pull"),
        (b"<!DOCTYPE html><html>", "is a web page, not the image"),
        (b"\x89PNG\r\n\x1a\n", "or damaged; replace or remove it"),
    ],
)
def test_files_that_are_no_images_are_named(pets: Path, content: bytes, match: str) -> None:
    (pets / "cat" / "a.png").write_bytes(content)
    with pytest.raises(DataError, match=match) as error:
        make_samples(load(pets), [Spec()]).inputs["image"][:]
    assert "cat/a.png" in str(error.value)
    assert "Reader" not in str(error.value)


def test_class_without_images_is_refused_unless_names_number_the_classes(
    pets: Path, tmp_path: Path
) -> None:
    (pets / "cow").mkdir()
    (pets / "cow" / "notes.txt").write_text("none yet")
    with pytest.raises(DataError, match=r"the folder cow in .*pets holds no images \(\.jpg"):
        load(pets)
    (pets / "ant").mkdir()
    with pytest.raises(DataError, match=r"the folders ant, cow in .* hold no images"):
        load(pets)
    (tmp_path / "names").write_text("dog\ncat\n")
    assert labels(load(pets, class_names=tmp_path / "names")) == [1, 1, 0]


def test_class_that_only_one_split_has_is_a_class(tmp_path: Path) -> None:
    save(tmp_path / "train" / "cat" / "a.png", 10)
    save(tmp_path / "train" / "dog" / "a.png", 10)
    save(tmp_path / "val" / "cat" / "a.png", 30)
    (tmp_path / "val" / "dog").mkdir()
    assert labels(load(tmp_path)) == [0, 1, 0]


def test_image_of_16_bits_is_refused(pets: Path) -> None:
    Image.fromarray(np.full((4, 4), 999, np.uint16)).save(pets / "cat" / "a.png")
    with pytest.raises(DataError, match="8 bits"):
        make_samples(load(pets), [Spec()]).inputs["image"][:]


def test_images_of_two_sizes_where_the_network_takes_any(pets: Path) -> None:
    Image.fromarray(np.zeros((5, 6), np.uint8)).save(pets / "dog" / "c.png")
    column = make_samples(load(pets), [Spec(shape=("n", 1, "h", "w"))]).inputs["image"]
    assert isinstance(column, Lazy)
    with pytest.raises(DataError, match=r"dog/c\.png: it is 6x5"):
        column[:]


def test_folder_without_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    with pytest.raises(DataError, match=r"neither \.npy files nor images"):
        load(tmp_path)


def test_threads_that_decode_leave_the_filters_of_warnings_alone(
    pets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = make_samples(load(pets), [Spec()]).inputs["image"]
    before, pillow, opening = list(warnings.filters), Image.open, Lock()

    def alone(*given: Any, **options: Any) -> Any:
        assert opening.acquire(blocking=False)
        time.sleep(0.001)
        found = pillow(*given, **options)
        opening.release()
        return found

    monkeypatch.setattr(Image, "open", alone)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: images[number : number + 1], [0, 1, 2] * 8))
    assert [round(255 * float(image.mean())) for image in found] == [10, 11, 20] * 8
    assert list(warnings.filters) == before


@pytest.mark.parametrize("names", [("Train", "Test"), ("TRAIN", "VAL"), ("train_set", "holdout")])
def test_splits_are_no_classes_however_they_are_written(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    for split, value in zip(names, (10, 20), strict=True):
        save(tmp_path / split / "cat" / "a.png", value)
        save(tmp_path / split / "dog" / "b.png", value + 1)
    samples = make_samples(load(tmp_path), [Spec()])
    assert values(samples) == [10, 11]
    assert samples.labels is not None and samples.labels.tolist() == [0, 1]


def test_images_of_splits_without_classes_have_no_labels(tmp_path: Path) -> None:
    save(tmp_path / "Train" / "a.png", 10)
    save(tmp_path / "Test" / "b.png", 20)
    columns = load(tmp_path)
    assert "y" not in columns
    samples = make_samples(columns, [Spec()])
    assert values(samples) == [10]
    assert "without classes" in samples.notes[0]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_turned_as_their_exif_says(tmp_path: Path, orientation: int) -> None:
    upright = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    stored = {  # how such a picture lies in the file
        1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1], 5: upright.T,
        6: np.rot90(upright), 7: upright[::-1, ::-1].T, 8: np.rot90(upright, -1),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    (tmp_path / "a").mkdir()
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "a" / "1.png", exif=exif)
    spec = Spec(shape=("n", 1, 3, 4), dtype="uint8")
    samples = make_samples(load(tmp_path, preprocess=["size=none", "crop=none"]), [spec])
    np.testing.assert_array_equal(samples.inputs["image"][:][0, 0], upright)
    assert "turned upright by EXIF" in samples.notes[0]


def test_images_are_taken_as_stored_where_that_is_said(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "a").mkdir()
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    Image.fromarray(pixels).save(tmp_path / "a" / "1.png", exif=exif)
    spec = Spec(shape=("n", 1, "h", "w"), dtype="uint8")
    samples = make_samples(load(tmp_path, preprocess=["exif=ignore"]), [spec])
    np.testing.assert_array_equal(samples.inputs["image"][:][0, 0], pixels)
    assert "EXIF aside" in samples.notes[0]


def test_names_of_classes_match_in_every_normal_form(tmp_path: Path) -> None:
    composed, apart = unicodedata.normalize("NFC", "ä"), unicodedata.normalize("NFD", "ä")
    save(tmp_path / "images" / "train" / composed / "a.png", 1)
    save(tmp_path / "images" / "test" / apart / "b.png", 2)
    save(tmp_path / "images" / "test" / "z" / "c.png", 3)
    for spelled in (composed, apart):
        (tmp_path / "names.txt").write_text(f"z\n{spelled}\n", "utf-8")
        columns = load(tmp_path / "images", class_names=tmp_path / "names.txt")
        assert sorted(labels(columns)) == [0, 1, 1]
    assert sorted(labels(load(tmp_path / "images"))) == [0, 1, 1]


def test_folders_and_files_of_names_say_what_classes_are_called(pets: Path) -> None:
    assert make_samples(load(pets), [Spec()]).class_names == {0: "cat", 1: "dog"}
    names = pets.parent / "names.txt"
    names.write_text("dog\nbird\ncat\n")
    told = make_samples(load(pets, class_names=names), [Spec()])
    assert told.class_names == {0: "dog", 1: "bird", 2: "cat"}


def test_folders_that_are_numbers_name_nothing(tmp_path: Path) -> None:
    for name in ("0", "1"):
        save(tmp_path / name / "a.png", int(name))
    assert make_samples(load(tmp_path), [Spec()]).class_names == {}
