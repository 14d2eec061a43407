"""Parts of the networks in PyTorch, and the list that the networks are put on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from activation_models import Truth


@dataclass(frozen=True)
class Network:
    """A module, what is in it, and its inputs, whose first axis counts samples."""

    module: nn.Module
    truth: Truth
    inputs: tuple[Tensor, ...]


NETWORKS: dict[str, Callable[[], Network]] = {}
IMAGE, TOKENS, SOUND = (2, 3, 16, 16), (2, 9), (2, 1, 160)


def network(make: Callable[[], Network]) -> Callable[[], Network]:
    NETWORKS[make.__name__] = make
    return make


class Lambda(nn.Module):
    """A module from parts and a function of them."""

    def __init__(self, function: Callable[..., Tensor], **parts: nn.Module) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.function(self, *inputs)


def residual(inner: nn.Module) -> nn.Module:
    return Lambda(lambda self, x: x + self.inner(x), inner=inner)


def head(width: int) -> nn.Sequential:
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 5))


def conv(before: int, after: int, size: int = 3, **options: int) -> nn.Conv2d:
    return nn.Conv2d(before, after, size, padding=size // 2, **options)


class Attention(nn.Module):
    """Multi-head attention over (samples, tokens, features), written out or as one function."""

    def __init__(self, width: int, heads: int = 2, *, whole: bool = False, causal: bool = False):
        super().__init__()
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.heads, self.whole, self.causal = heads, whole, causal

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        n, t, width = x.shape
        split = self.qkv(x).reshape(n, t, 3, self.heads, width // self.heads)
        q, k, v = split.permute(2, 0, 3, 1, 4).unbind(0)
        if self.whole:
            y = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        else:
            scores = q @ k.transpose(-2, -1) / math.sqrt(width // self.heads)
            if self.causal:
                hidden = torch.ones(t, t, dtype=torch.bool, device=x.device).triu(1)
                scores = scores.masked_fill(hidden, -1e9)
            if mask is not None:
                scores = scores + (1.0 - mask[:, None, None, :]) * -1e9
            y = scores.softmax(-1) @ v
        return self.out(y.transpose(1, 2).reshape(n, t, width))


class Encoder(nn.Module):
    """A transformer layer, the normalisation before or after each half."""

    def __init__(self, width: int, mlp: nn.Module, attention: Attention, *, before: bool = True,
                 norm: Callable[[int], nn.Module] = nn.LayerNorm) -> None:  # fmt: skip
        super().__init__()
        self.attention, self.mlp, self.before = attention, mlp, before
        self.one, self.two = norm(width), norm(width)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        if self.before:
            x = x + self.attention(self.one(x), mask)
            return x + self.mlp(self.two(x))
        x = self.one(x + self.attention(x, mask))
        return self.two(x + self.mlp(x))


def two_layers(width: int, hidden: int, act: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(width, hidden), act, nn.Linear(hidden, width))
