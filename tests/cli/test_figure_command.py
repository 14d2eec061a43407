"""`onnxmem figure` draws figures of shipped networks and of given ones, and judges their claims."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnxmem.models as models
import pytest

Command = Callable[..., Any]
PAIR = ("vowels-mlp-p00", "vowels-mlp-p100")


def test_a_figure_of_shipped_networks_is_a_picture_and_a_judgement(command: Command) -> None:
    outcome = command("figure", "fig1", *PAIR, "-o", "fig1.svg")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("fig1, where all samples of a class share one support")
    assert "Here it " in outcome.out and "vowels-mlp-p100 0." in outcome.out
    assert outcome.new_files == ("fig1.svg",)
    picture = Path("fig1.svg").read_text("utf-8")
    assert picture.startswith("<svg") and "Units of one sign" in picture


def test_given_networks_come_with_their_data(command: Command) -> None:
    paths = [models.network(name).path for name in PAIR]
    data = [argument for name in PAIR for argument in ("--data", models.network(name).data_path)]
    outcome = command("figure", "fig10", *paths, *data, "-o", "own.html")
    assert (outcome.code, outcome.err) == (0, "")
    assert "cannot be judged: fewer than three p" in outcome.out
    page = Path("own.html").read_text("utf-8")
    assert "data:image/svg+xml;base64," in page and "http" not in page.split("<main")[1]


def test_few_held_out_samples_are_named(command: Command, tmp_path: Path) -> None:
    import numpy as np

    data = np.load(models.network(PAIR[0]).data_path)
    np.savez("plain.npz", x=data["x"], y=data["y"])
    outcome = command(
        "figure", "fig5", models.network(PAIR[0]).path, "--data", "plain.npz", "-o", "f.svg"
    )
    assert outcome.code == 2
    assert "no held-out samples" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("fig12", "-o", "f.svg"), "there is no figure 'fig12'"),
        (("fig1", "-o", "f.pdf"), "choose .svg, .png or .html"),
        (("fig1", "--data", "d.npz", "-o", "f.svg"), "--data belongs to MODELs"),
        (("fig1", "no-such", "-o", "f.svg"), "no network 'no-such' ships"),
        (("fig1", "a", "b", "c", "--data", "x", "--data", "y", "-o", "f.svg"), "one for each"),
    ],
)
def test_bad_input_is_one_line(command: Command, arguments: tuple[str, ...], said: str) -> None:
    outcome = command("figure", *arguments)
    assert outcome.code == 2
    assert said in outcome.error
