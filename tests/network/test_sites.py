"""What is analyzed by default, what a report says of it, and what where there is nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import text_networks

from onnxmem import graph
from onnxmem.errors import NoSiteError, UsageError
from onnxmem.network.settings import RunSettings
from onnxmem.network.sites import choose_sites, kinds_of, told

BODY = {
    "relu": "g = Tanh(h) r = Relu(g)",
    "two kinds": "g = Tanh(h) a = MatMul(g, w) r = Elu(a)",
    "blocks": "a = MatMul(h, w) r = Add(h, a)",
    "none": "r = Neg(h)",
}


def load(folder: Path, name: str) -> graph.Model:
    body = f"h = MatMul(x, w) {BODY[name]} y = MatMul(r, w)"
    text = f"(float[N,4] x) => (float[N,4] y) {{ {body} }}"
    return graph.load(text_networks.write(folder / "net.onnx", text, w=(4, 4)))


@pytest.mark.parametrize(
    ("name", "kinds", "note"),
    [
        ("relu", ("relu",), ()),
        ("two kinds", ("elu", "tanh"), ("no ReLU; analyzed are 1 ELU, 1 Tanh",)),
        ("blocks", ("block",), ("no activation function; analyzed are the outputs of 1 blocks",)),
    ],
)
def test_what_is_taken_by_default_is_told(
    tmp_path: Path, name: str, kinds: tuple[str, ...], note: tuple[str, ...]
) -> None:
    sites = choose_sites(load(tmp_path, name), ())
    assert kinds_of(sites, ("auto",)) == kinds
    assert told(sites, ("auto",)) == note
    assert told(sites, kinds) == ()


def test_groups_stand_for_the_kinds_that_are_there(tmp_path: Path) -> None:
    sites = choose_sites(load(tmp_path, "two kinds"), (), ("softmax", "any"))
    assert kinds_of(sites, ("softmax", "any")) == ("softmax", "elu", "tanh")
    assert kinds_of(sites, ("tanh", "elu", "relu")) == ("tanh", "elu", "relu")
    assert kinds_of((), ("auto",)) == ("auto",)


def test_layers_narrow_what_is_told(tmp_path: Path) -> None:
    sites = choose_sites(load(tmp_path, "two kinds"), ("r",))
    assert [site.tensor for site in sites] == ["r"]
    assert told(sites, ("auto",)) == ("no ReLU; analyzed are 1 ELU",)


def test_a_network_without_any_names_what_it_has(tmp_path: Path) -> None:
    with pytest.raises(NoSiteError, match=r"has no activation to analyze; .*none that is known"):
        choose_sites(load(tmp_path, "none"), ())
    with pytest.raises(NoSiteError, match=r"no ReLU .* Tanh \(1\); --kind elu,tanh takes 2 others"):
        choose_sites(load(tmp_path, "two kinds"), (), ("relu",))


@pytest.mark.parametrize("kinds", [("gelo",), (), ("auto", "relu"), ("GELU",)])
def test_kinds_that_cannot_be_are_refused(kinds: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="kind"):
        RunSettings(kind=kinds)
