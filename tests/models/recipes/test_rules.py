"""Ways to train against noise do what their papers say. Skipped without torch."""

from __future__ import annotations

from typing import Any

import pytest

torch: Any = pytest.importorskip("torch")

from onnxmem.models.recipes.networks import mlp  # noqa: E402
from onnxmem.models.recipes.rules import Bilevel, Mixup, Plain, TiedDropout  # noqa: E402


@pytest.fixture
def batch() -> tuple[Any, Any, Any]:
    torch.manual_seed(0)
    return torch.randn(40, 6), torch.randint(3, (40,)), torch.arange(30)


@pytest.fixture
def network() -> Any:
    torch.manual_seed(1)
    return mlp(6, (10, 10), 3)


def gradient(network: Any) -> Any:
    return torch.cat([parameter.grad.flatten() for parameter in network.parameters()])


def test_mixing_with_weight_one_is_plain_training(
    network: Any, batch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    Plain().backward(network, *batch)
    plain = gradient(network)
    beta = torch.distributions.Beta
    monkeypatch.setattr(beta, "sample", lambda self: torch.tensor(1.0))
    Mixup(alpha=1.0).backward(network, *batch)
    torch.testing.assert_close(gradient(network), plain)
    monkeypatch.setattr(beta, "sample", lambda self: torch.tensor(0.5))
    Mixup(alpha=1.0).backward(network, *batch)
    assert not torch.allclose(gradient(network), plain)


def test_a_batch_that_contradicts_the_others_has_no_weight(network: Any) -> None:
    x, chosen = torch.ones(30, 6), torch.arange(30)
    y = torch.tensor([0] * 10 + [0] * 10 + [1] * 10)
    rule = Bilevel(validation=10, small=10)
    rule.backward(network, x, y, chosen)
    found = gradient(network)
    Plain().backward(network, x, y, chosen[10:20])
    agreeing = gradient(network)
    cosine = torch.nn.functional.cosine_similarity(found, agreeing, dim=0)
    assert cosine == pytest.approx(1, abs=1e-4)


def test_bilevel_weights_stop_where_nothing_agrees(network: Any) -> None:
    x, chosen = torch.ones(20, 6), torch.arange(20)
    y = torch.tensor([0] * 10 + [1] * 10)
    Bilevel(validation=10, small=10).backward(network, x, y, chosen)
    assert torch.all(torch.isfinite(gradient(network)))


def test_a_sample_always_has_the_same_memorizing_units(network: Any, batch: Any) -> None:
    rule = TiedDropout(samples=40, generalizing=0.4, probability=0.3)
    rule.backward(network, *batch)
    first = gradient(network)
    rule.backward(network, *batch)
    torch.testing.assert_close(gradient(network), first)
    for mask in rule.masks.values():
        assert mask[:, :4].min() == 1
        assert 0.1 < mask[:, 4:].mean() < 0.5


def test_without_memorizing_units_only_the_general_ones_speak(network: Any, batch: Any) -> None:
    rule = TiedDropout(samples=40, generalizing=0.4, probability=0.1)
    exports = rule.exports(network)
    assert list(exports) == ["", "-dropped"]
    with torch.no_grad():
        assert exports["-dropped"].fc2.weight[:, 4:].abs().max() == 0
        torch.testing.assert_close(
            exports[""].fc2.weight[:, 4:], 0.1 * network.fc2.weight[:, 4:], rtol=1e-2, atol=1e-4
        )
        torch.testing.assert_close(
            exports["-dropped"].fc2.weight[:, :4], network.fc2.weight[:, :4], rtol=1e-3, atol=1e-4
        )
