"""Words that say how images are prepared, alone and after a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from onnxmem.data.preprocess import read_preprocess
from onnxmem.data.recipe import Resize
from onnxmem.errors import DataError, UsageError


def test_words_become_what_they_say() -> None:
    assert read_preprocess(
        ["size=256", "crop=224x200", "mean=0.5", "std=1,2,3", "scale=1/255", "layout=nhwc"]
    ) == {
        "resize": Resize(256, 256, shortest=True),
        "crop": (224, 200),
        "mean": (0.5,),
        "std": (1.0, 2.0, 3.0),
        "scale": 1 / 255,
        "layout": "nhwc",
    }
    assert read_preprocess(["size=32x48", "crop=none", "resample=box"]) == {
        "resize": Resize(32, 48),
        "crop": None,
        "resample": "box",
    }
    assert read_preprocess(["dtype=uint8"]) == {"scale": None, "mean": None, "std": None}
    assert read_preprocess(["mean=[0.1, 0.2, 0.3]"]) == {"mean": (0.1, 0.2, 0.3)}


@pytest.mark.parametrize(
    "word",
    [
        "size=big",
        "size=0",
        "size=1x2x3",
        "size=-3",
        "size=99999",
        "crop=",
        "mean=a",
        "mean=1,2",
        "mean=nan",
        "std=0",
        "scale=1/0",
        "scale=inf",
        "layout=chw",
        "resample=5",
        "dtype=int8",
        "colour=red",
    ],
)
def test_word_that_is_not_known_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match="--preprocess"):
        read_preprocess([word])


def test_words_overrule_the_file_before_them(tmp_path: Path) -> None:
    path = tmp_path / "preprocessor_config.json"
    values = {"size": {"height": 32, "width": 48}, "image_mean": 1, "image_std": 2}
    path.write_text(json.dumps(values))
    given = read_preprocess([str(path), "mean=0", "layout=nhwc"])
    assert given["mean"] == (0.0,)
    assert given["layout"] == "nhwc"
    assert given["std"] == (2.0,)


def test_file_that_is_not_there() -> None:
    with pytest.raises(DataError, match=r"nowhere\.json"):
        read_preprocess(["nowhere.json"])


def test_letterbox_order_and_exif_are_words_too() -> None:
    assert read_preprocess(["letterbox=640x480", "fill=0", "order=bgr", "exif=ignore"]) == {
        "resize": Resize(640, 480, fill=114),
        "crop": None,
        "fill": 0,
        "bgr": True,
        "upright": False,
    }


@pytest.mark.parametrize("word", ["fill=256", "fill=-1", "order=grb", "exif=maybe", "letterbox=0"])
def test_what_they_do_not_take_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match=word):
        read_preprocess([word])
