"""Reads a folder of images with one subfolder for each class; only what is asked for is decoded.

Numbers of classes follow torchvision's ImageFolder: the position of the folder's name in sorted
order, unless all names are numbers themselves, or a file of class names says otherwise.
"""

from __future__ import annotations

import hashlib
import os
import struct
import warnings
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from onnxmem.data.budget import UNBOUNDED, Budget
from onnxmem.data.columns import Column, InputSpec, Lazy
from onnxmem.data.extras import need
from onnxmem.data.files import begin
from onnxmem.data.fitting import fit_recipe
from onnxmem.data.labels import check_known, composed, named_classes, number_names
from onnxmem.data.quiet import hush_pillow, unheard
from onnxmem.data.recipe import Given, Recipe
from onnxmem.data.splits import SPLITS, plain_name
from onnxmem.errors import DataError
from onnxmem.text import listed

if TYPE_CHECKING:
    from PIL.Image import Image

ENDINGS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
"""Source: `torchvision.datasets.folder.IMG_EXTENSIONS`."""

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
"""Formats that are read, whatever a file is called; some other readers of Pillow run programs."""

_PIXEL_BYTES = 4
"""That Pillow takes for a pixel in colour."""

_DEEP = frozenset({"I", "F", "I;16", "I;16B", "I;16L", "I;16N"})
"""Pillow's modes of more than 8 bits, which it would cut off."""

_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, zlib.error)
"""What Pillow raises for damaged files."""

_ORIENTATION = 0x0112

_TURNS = {
    2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_270",
    7: "TRANSVERSE", 8: "ROTATE_90",
}  # fmt: skip
"""What turns an image upright. Source: Exif 2.3, tag Orientation."""

_OPENING = Lock()
"""Filters of warnings belong to all threads, so only one at a time may change and restore them;
and so does stderr."""


class ImageFiles(Lazy):
    """Images in files; what shape they get is decided by the input that they are fitted to."""

    def __init__(
        self, files: Sequence[Path], given: Given, note: str, budget: Budget = UNBOUNDED
    ) -> None:
        super().__init__((len(files),), np.dtype(np.uint8))
        self._files, self._given, self._labels, self._budget = files, given, note, budget

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """Refuse: images have no shape of their own."""
        raise DataError("images are prepared for an input of a network; fit them to one first")

    def fit(self, spec: InputSpec) -> Lazy:
        """Return the images as the input takes them.

        Raises:
            DataError: it takes no images, or Pillow is missing.
        """
        recipe, assumed = fit_recipe(self._given, spec, self._first_size)
        note = f"images: {recipe}" + (f" (assumed: {assumed})" if assumed else "")
        note = "; ".join(filter(None, (note, self._labels)))
        return Prepared(self._files, recipe, note, self._budget)

    def _first_size(self) -> tuple[int, int]:
        """Return height and width of the first image."""
        image = _opened(self._files[0], self._budget, upright=self._given.get("upright", True))
        return image.height, image.width


class Prepared(Lazy):
    """Images in files, as a network takes them; known by the bytes of their files."""

    def __init__(
        self, files: Sequence[Path], recipe: Recipe, note: str, budget: Budget = UNBOUNDED
    ) -> None:
        super().__init__(
            (len(files), *recipe.shape),
            recipe.dtype,
            note=note,
            recipe=recipe.identity,
            hint=f"the images come out so: {recipe}",
            library="pillow",
        )
        self._files, self._prepare, self._budget = files, recipe, budget

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """Decode those images."""
        numbers = np.arange(len(self))[rows]
        images = np.empty((len(numbers), *self.shape[1:]), self.dtype)
        for place, number in enumerate(numbers.tolist()):
            images[place] = _decode(self._files[number], self._prepare, self._budget)
        return images

    def fingerprints(self, rows: slice | np.ndarray) -> Iterator[bytes]:
        """Return a hash of the bytes of each file."""
        for number in np.arange(len(self))[rows].tolist():
            try:
                with self._files[number].open("rb") as stream:
                    yield hashlib.file_digest(stream, "sha256").digest()
            except OSError as error:
                raise DataError(f"cannot read the image {self._files[number]}: {error}") from error


def _decode(file: Path, recipe: Recipe, budget: Budget) -> np.ndarray:
    image = _opened(file, budget, upright=recipe.upright)
    budget.require(recipe.largest(image) * _PIXEL_BYTES, f"the image {file}, resized,")
    if image.mode in _DEEP:
        raise DataError(f"the image {file} has more than 8 bits a channel; convert it to 8")
    try:
        return recipe.apply(image)
    except _BROKEN as error:
        raise DataError(f"cannot use the image {file}: {error}") from error


def _opened(file: Path, budget: Budget, *, upright: bool) -> Image:
    """Open an image; one of hundreds of megapixels is refused as Pillow does.

    Where it is to be `upright`, it is turned as its EXIF says.

    Raises:
        DataError: it cannot be read.
        OutOfMemoryError: it is larger than the budget.
    """
    begin(file, "image")
    hush_pillow()
    pillow, opener = need("PIL", "images"), need("PIL.Image", "images")
    try:
        with file.open("rb") as stream:
            with _OPENING, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                image: Image = opener.open(stream, formats=FORMATS)
            budget.require(image.width * image.height * _PIXEL_BYTES, f"the image {file}")
            if image.format == "TIFF":
                with _OPENING, unheard():
                    image.load()
            else:
                image.load()
    except (*_BROKEN, opener.DecompressionBombError) as error:
        unknown = isinstance(error, pillow.UnidentifiedImageError)
        cause = f"it is none of {', '.join(FORMATS)}, or damaged" if unknown else error
        raise DataError(f"cannot use the image {file}: {cause}; replace or remove it") from error
    return _turned(image) if upright else image


def _turned(image: Image) -> Image:
    """Return an image as its EXIF says that it is to be looked at."""
    try:
        orientation = image.getexif().get(_ORIENTATION)
    except (*_BROKEN, KeyError, TypeError, ZeroDivisionError):
        return image
    if orientation not in _TURNS:
        return image
    return image.transpose(need("PIL.Image", "images").Transpose[_TURNS[orientation]])


def load_folder(
    path: Path,
    given: Given,
    classes: Mapping[str, int] | None,
    source: str,
    budget: Budget = UNBOUNDED,
) -> dict[str, Column]:
    """Return the images below a folder as `x`, their classes as `y`, and splits if there are any.

    Args:
        path: the folder: of images, of one folder for each class, or of one folder for each
            split which holds one for each class.
        given: what was said about preprocessing.
        classes: the class of each folder's name; None numbers them.
        source: where `classes` come from, for messages.
        budget: bytes that an image may take.

    Raises:
        DataError: there are no images, a folder that is no class, or one without images where
            nothing but the folders tells the classes, as in torchvision's ImageFolder.
    """
    need("PIL.Image", "images")
    loose = _images_in(path)
    parts = _folders_in(path)
    if splits := parts and SPLITS.issuperset(plain_name(part.name) for part in parts):
        found = [(part.name, one) for part in parts for one in _folders_in(part)]
    else:
        found = [("", part) for part in parts]
    files = [
        (split, composed(one.name), file) for split, one in found for file in _images_below(one)
    ]
    if splits and not files:
        return _without_classes(path, parts, given)
    if splits:
        loose += [file for part in parts for file in _images_in(part)]
    if not files and not loose:
        raise DataError(
            f"the folder {path} holds neither .npy files nor images; give a folder with x.npy and "
            "y.npy, or one with a subfolder of images for each class"
        )
    if not files:
        return {"x": ImageFiles(loose, given, "", budget), "id": _names(loose, path)}
    filled = {name for _, name, _ in files}
    empty = sorted({composed(one.name) for _, one in found} - filled)
    if empty and classes is None:
        raise DataError(_without_images(path, empty))
    numbers, note = _numbered(sorted(filled), classes, source)
    if loose:
        note += f"; left out: {len(loose)} outside of the class folders"
    columns: dict[str, Column] = {
        "x": ImageFiles([file for _, _, file in files], given, note, budget),
        "y": np.array([numbers[name] for _, name, _ in files], np.int64),
        "id": _names([file for _, _, file in files], path),
        **named_classes({_legible(name): number for name, number in numbers.items()}),
    }
    if any(split for split, _ in found):
        columns["split"] = np.array([split for split, _, _ in files])
    return columns


def _without_classes(path: Path, splits: Sequence[Path], given: Given) -> dict[str, Column]:
    """Return the images in folders of splits that hold no classes."""
    files = [(split.name, file) for split in splits for file in _images_in(split)]
    if not files:
        raise DataError(
            f"the folders {listed([split.name for split in splits])} in {path} hold "
            "neither images nor folders of them"
        )
    images = [file for _, file in files]
    note = "folders of splits hold images without classes, so there are no labels"
    return {
        "x": ImageFiles(images, given, note),
        "id": _names(images, path),
        "split": np.array([split for split, _ in files]),
    }


def _names(files: Sequence[Path], folder: Path) -> np.ndarray:
    """Return the paths of files within a folder, as text."""
    return np.array([_legible(file.relative_to(folder).as_posix()) for file in files])


def _without_images(path: Path, empty: Sequence[str]) -> str:
    many = len(empty) > 1
    return (
        f"the folder{'s' * many} {listed([_legible(name) for name in empty])} in {path} "
        f"hold{'s' * (not many)} no images ({', '.join(ENDINGS)}), but would count as "
        f"{'classes' if many else 'a class'}; remove {'them' if many else 'it'}, or number the "
        "classes with --class-names FILE"
    )


def _numbered(
    names: Sequence[str], classes: Mapping[str, int] | None, source: str
) -> tuple[Mapping[str, int], str]:
    if classes is not None:
        check_known(names, classes, source)
        return classes, f"classes as in {Path(source).name}"
    numbers, by_number = number_names(names)
    if not by_number:
        shown = listed([f"{_legible(name)} = {numbers[name]}" for name in names])
        return numbers, f"classes are the folders in sorted order ({shown})"
    note = "classes are the numbers that the folders are called"
    if [numbers[name] for name in names] != list(range(len(names))):
        note += ", which is not their sorted order"
    return numbers, note


def _legible(name: str) -> str:
    """Return a name that may hold bytes which are no text as text."""
    return name.encode("utf-8", "backslashreplace").decode()


def _entries(path: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            found = [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise DataError(f"cannot read the folder {path}: {error.strerror or error}") from error
    return sorted(found, key=lambda entry: entry.name)


def _folders_in(path: Path) -> list[Path]:
    return [Path(entry.path) for entry in _entries(path) if entry.is_dir()]


def _images_in(path: Path) -> list[Path]:
    return [
        Path(entry.path)
        for entry in _entries(path)
        if entry.name.lower().endswith(ENDINGS) and entry.is_file()
    ]


def _images_below(path: Path, above: frozenset[str] = frozenset()) -> Iterator[Path]:
    """Yield the images in a folder and in those below it; links are followed, but not in rings."""
    place = os.path.realpath(path)
    if place in above:
        return
    yield from _images_in(path)
    for folder in _folders_in(path):
        yield from _images_below(folder, above | {place})
