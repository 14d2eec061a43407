"""Configurations of hubs: what their steps become, and what is refused because it is not known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from onnxmem.data.hub_config import read_config
from onnxmem.data.recipe import Resize
from onnxmem.errors import DataError

VIT = {
    "image_processor_type": "ViTImageProcessor",
    "do_resize": True,
    "size": {"height": 32, "width": 48},
    "resample": 3,
    "do_rescale": True,
    "rescale_factor": 0.5,
    "do_normalize": True,
    "image_mean": [0.1, 0.2, 0.3],
    "image_std": [0.4, 0.5, 0.6],
}
TIMM = {"input_size": [3, 224, 224], "crop_pct": 0.875, "interpolation": "bicubic"}


def read(tmp_path: Path, values: Any) -> Any:
    """Read a file of `values`."""
    path = tmp_path / "preprocessor_config.json"
    path.write_text(json.dumps(values))
    return read_config(path)


def test_plain_processor_of_transformers(tmp_path: Path) -> None:
    assert read(tmp_path, VIT) == {
        "resize": Resize(32, 48),
        "crop": None,
        "resample": "bicubic",
        "floor": True,
        "scale": 0.5,
        "mean": (0.1, 0.2, 0.3),
        "std": (0.4, 0.5, 0.6),
    }


def test_steps_that_are_not_done(tmp_path: Path) -> None:
    off = dict.fromkeys(["do_resize", "do_center_crop", "do_rescale", "do_normalize"], False)
    given = read(tmp_path, VIT | off | {"crop_size": 8})
    assert given["resize"] is given["crop"] is given["mean"] is given["std"] is None
    assert given["scale"] == 1.0


@pytest.mark.parametrize(
    ("kind", "resize", "crop"),
    [
        ("ViTFeatureExtractor", Resize(224, 224), None),
        ("CLIPImageProcessorFast", Resize(224, 224, shortest=True), (200, 200)),
        ("DeiTImageProcessor", Resize(224, 224), (200, 200)),
        ("ConvNextImageProcessor", Resize(256, 256, shortest=True), (224, 224)),
    ],
)
def test_size_of_one_number_means_what_the_processor_makes_of_it(
    tmp_path: Path, kind: str, resize: Resize, crop: Any
) -> None:
    given = read(tmp_path, VIT | {"image_processor_type": kind, "size": 224, "crop_size": 200})
    assert (given["resize"], given["crop"]) == (resize, crop)


def test_convnext_squeezes_large_images(tmp_path: Path) -> None:
    kind = {"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 384}}
    given = read(tmp_path, VIT | kind)
    assert (given["resize"], given["crop"]) == (Resize(384, 384), None)


@pytest.mark.parametrize("wrap", [False, True])
def test_timm_resizes_by_its_share_and_crops(tmp_path: Path, wrap: bool) -> None:
    given = read(tmp_path, {"architecture": "x", "pretrained_cfg": TIMM} if wrap else TIMM)
    assert given["resize"] == Resize(256, 256, shortest=True)
    assert (given["crop"], given["resample"], given["scale"]) == ((224, 224), "bicubic", 1 / 255)
    squash = read(tmp_path, TIMM | {"crop_mode": "squash", "crop_pct": 1.0})
    assert squash["resize"] == Resize(224, 224)


REFUSED: dict[str, tuple[Any, str]] = {
    "list": ([1], "no JSON object"),
    "something else": ({"name": "x"}, "neither"),
    "unknown step": (VIT | {"do_flip_channel_order": True}, "do_flip_channel_order"),
    "unknown number": (VIT | {"rescale_offset": 3}, "rescale_offset"),
    "unknown processor": (VIT | {"image_processor_type": "LevitImageProcessor"}, "Levit"),
    "unknown filter": (VIT | {"resample": 9}, "resample 9"),
    "no size": ({"do_resize": True, "image_mean": 0.5, "image_std": 1}, "size"),
    "odd size": (VIT | {"size": {"shortest_edge": 3, "longest_edge": 9}}, "longest_edge"),
    "ambiguous size": ({"size": 224, "do_normalize": False}, "shortest_edge"),
    "no mean": ({k: v for k, v in VIT.items() if k != "image_mean"}, "image_mean"),
    "no deviation": (VIT | {"image_std": [0, 1, 1]}, "image_std"),
    "border": (TIMM | {"crop_mode": "border"}, "border"),
    "random": (TIMM | {"interpolation": "random"}, "random"),
    "oblong": (TIMM | {"input_size": [3, 224, 320]}, "square"),
    "no pixels": (TIMM | {"input_size": [3, 0, 0]}, "pixels"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_file_that_asks_for_what_is_not_known_is_refused(tmp_path: Path, case: str) -> None:
    values, word = REFUSED[case]
    with pytest.raises(DataError, match=rf"preprocessor_config.json.*{word}"):
        read(tmp_path, values)
