"""Networks for text and sound in PyTorch: BERT, GPT, LLaMA, Conformer, wav2vec, LSTMs."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from activation_models import Truth
from activation_models.torch_parts import (
    SOUND,
    TOKENS,
    Attention,
    Encoder,
    Lambda,
    Network,
    network,
    two_layers,
)  # fmt: skip


class Words(nn.Module):
    """Token and place embeddings, layers, a function of all token features."""

    def __init__(self, layers: list[nn.Module], end: nn.Module, *, pool: bool = True) -> None:
        super().__init__()
        self.word, self.place = nn.Embedding(20, 16), nn.Embedding(16, 16)
        self.layers, self.end, self.pool = nn.ModuleList(layers), end, pool

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        x = self.word(ids) + self.place(torch.arange(ids.shape[1], device=ids.device))
        for layer in self.layers:
            x = layer(x, mask)
        return self.end(x.mean(1) if self.pool else x[:, 0])


def ids() -> Tensor:
    return torch.randint(0, 20, TOKENS)


@network
def bert() -> Network:
    """GELU, the normalisation after each half, a mask, and a pooler with tanh."""
    layers = [
        Encoder(16, two_layers(16, 40 + i, nn.GELU()), Attention(16), before=False)
        for i in range(2)
    ]
    end = nn.Sequential(nn.Linear(16, 18), nn.Tanh(), nn.Linear(18, 5))
    truth = Truth((("gelu", 40), ("gelu", 41), ("tanh", 18)), 4)
    mask = torch.ones(TOKENS)
    return Network(Words(layers, end, pool=False), truth, (ids(), mask))


@network
def gpt() -> Network:
    """GELU by tanh as GPT-2 writes it, and a causal mask."""
    act = Lambda(
        lambda self, x: 0.5 * x
        * (1.0 + torch.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * torch.pow(x, 3.0))))
    )  # fmt: skip
    layers = [
        Encoder(16, two_layers(16, 40 + i, act), Attention(16, causal=True)) for i in range(2)
    ]
    end = nn.Sequential(nn.LayerNorm(16), nn.Linear(16, 5))
    return Network(Words(layers, end), Truth((("gelu", 40), ("gelu", 41)), 4), (ids(),))


class RmsNorm(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6))


class Gated(nn.Module):
    """The product of a branch and the activation of another, from two layers or from one."""

    def __init__(self, act: Callable[[Tensor], Tensor], hidden: int, *, together: bool) -> None:
        super().__init__()
        self.act, self.together = act, together
        self.up = nn.Linear(16, 2 * hidden if together else hidden, bias=together)
        self.gate = nn.Identity() if together else nn.Linear(16, hidden, bias=False)
        self.down = nn.Linear(hidden, 16)

    def forward(self, x: Tensor) -> Tensor:
        if self.together:
            up, gate = self.up(x).chunk(2, -1)
        else:
            up, gate = self.up(x), self.gate(x)
        return self.down(self.act(gate) * up)


class Rotary(Attention):
    """Attention with rotary positions."""

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        n, t, width = x.shape
        q, k, v = (one.reshape(n, t, 2, -1).transpose(1, 2) for one in self.qkv(x).chunk(3, -1))
        angle = torch.arange(t)[:, None] * torch.tensor([1.0, 0.1, 0.01, 0.001]).repeat(2)
        q, k = (one * angle.cos() + self.turned(one) * angle.sin() for one in (q, k))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(y.transpose(1, 2).reshape(n, t, width))

    @staticmethod
    def turned(x: Tensor) -> Tensor:
        left, right = x.chunk(2, -1)
        return torch.cat([-right, left], -1)


@network
def llama() -> Network:
    """SwiGLU, RMSNorm and rotary positions: the product is the site, not the SiLU inside."""
    layers = [
        Encoder(16, Gated(F.silu, 40 + i, together=bool(i)), Rotary(16), norm=RmsNorm)
        for i in range(2)
    ]
    end = nn.Sequential(RmsNorm(16), nn.Linear(16, 5))
    return Network(Words(layers, end), Truth((("glu", 40), ("glu", 41)), 6), (ids(),))


@network
def gated_kinds() -> Network:
    """Gated units with every gate."""
    acts = (torch.sigmoid, F.silu, F.gelu, torch.tanh, F.hardswish, F.mish)
    layers = [
        Encoder(16, Gated(act, 30 + i, together=bool(i % 2)), Attention(16))
        for i, act in enumerate(acts)
    ]
    sites = tuple(("glu", 30 + i) for i in range(len(acts)))
    end = nn.Sequential(nn.LayerNorm(16), nn.Linear(16, 5))
    return Network(Words(layers, end), Truth(sites, 18), (ids(),))


@network
def mixer() -> Network:
    """GELU over channels, and over tokens with the axes swapped."""

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.LayerNorm(16), nn.LayerNorm(16)
            self.tokens = two_layers(9, 21, nn.GELU())
            self.channels = two_layers(16, 40, nn.GELU())

        def forward(self, x: Tensor) -> Tensor:
            x = x + self.tokens(self.one(x).transpose(1, 2)).transpose(1, 2)
            return x + self.channels(self.two(x))

    net = Lambda(lambda self, x: self.out(self.body(x).mean(1)), body=Block(),
                 out=nn.Linear(16, 5))  # fmt: skip
    return Network(net, Truth((("gelu", 21), ("gelu", 40)), 2), (torch.randn(2, 9, 16),))


@network
def conformer() -> Network:
    """Half feed-forwards with SiLU, attention, a convolution with GLU, BatchNorm and SiLU."""

    class Convolution(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Conv1d(16, 32, 1), nn.Conv1d(16, 16, 3, padding=1, groups=16)
            self.norm, self.three = nn.BatchNorm1d(16), nn.Conv1d(16, 16, 1)

        def forward(self, x: Tensor) -> Tensor:
            x = F.glu(self.one(x.transpose(1, 2)), dim=1)
            return self.three(F.silu(self.norm(self.two(x)))).transpose(1, 2)

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.four = (
                nn.Sequential(nn.LayerNorm(16), two_layers(16, width, nn.SiLU()))
                for width in (40, 42)
            )
            self.attention, self.norm = Attention(16), nn.LayerNorm(16)
            self.middle, self.three, self.end = nn.LayerNorm(16), Convolution(), nn.LayerNorm(16)

        def forward(self, x: Tensor) -> Tensor:
            x = x + 0.5 * self.one(x)
            x = x + self.attention(self.norm(x))
            x = x + self.three(self.middle(x))
            return self.end(x + 0.5 * self.four(x))

    net = Lambda(lambda self, x: self.out(self.body(x).mean(1)), body=Block(),
                 out=nn.Linear(16, 5))  # fmt: skip
    truth = Truth((("silu", 40), ("glu", 16), ("silu", 16), ("silu", 42)), 5)
    return Network(net, truth, (torch.randn(2, 9, 16),))


@network
def wav2vec() -> Network:
    """Convolutions over sound with GroupNorm and GELU, a convolution for places, an encoder."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.norm = nn.Conv1d(1, 12, 10, 5), nn.GroupNorm(12, 12)
            self.two, self.places = nn.Conv1d(12, 16, 3, 2), nn.Conv1d(16, 16, 5, padding=2)
            self.layer, self.out = (
                Encoder(16, two_layers(16, 40, nn.GELU()), Attention(16), before=False),
                nn.Linear(16, 5),
            )

        def forward(self, x: Tensor) -> Tensor:
            x = F.gelu(self.norm(self.one(x)))
            x = F.gelu(self.two(x))
            x = (x + F.gelu(self.places(x))).transpose(1, 2)
            return self.out(self.layer(x).mean(1))

    truth = Truth((("gelu", 12), ("gelu", 16), ("gelu", 16), ("gelu", 40)), 5)
    return Network(Net(), truth, (torch.randn(SOUND),))


@network
def wavenet() -> Network:
    """tanh times sigmoid of two dilated convolutions, residual and skipped."""

    class Layer(nn.Module):
        def __init__(self, dilation: int) -> None:
            super().__init__()
            options = {"padding": dilation, "dilation": dilation}
            self.filter, self.gate = nn.Conv1d(8, 12, 3, **options), nn.Conv1d(8, 12, 3, **options)
            self.back = nn.Conv1d(12, 8, 1)

        def forward(self, x: Tensor) -> Tensor:
            return x + self.back(torch.tanh(self.filter(x)) * torch.sigmoid(self.gate(x)))

    net = nn.Sequential(nn.Conv1d(1, 8, 1), Layer(1), Layer(2), nn.AdaptiveAvgPool1d(1),
                        nn.Flatten(), nn.Linear(8, 5))  # fmt: skip
    return Network(net, Truth((("glu", 12), ("glu", 12)), 4), (torch.randn(SOUND),))


@network
def speech_lstm() -> Network:
    """Two LSTMs, one of them in both directions, as in older speech recognition."""
    one, two = nn.LSTM(6, 10, batch_first=True), nn.LSTM(10, 8, batch_first=True,
                                                         bidirectional=True)  # fmt: skip
    net = Lambda(lambda self, x: self.out(self.two(self.one(x)[0])[0].mean(1)), one=one, two=two,
                 out=nn.Linear(16, 5))  # fmt: skip
    return Network(net, Truth((("lstm", 10), ("lstm", 8))), (torch.randn(2, 9, 6),))


@network
def speech_gru() -> Network:
    net = Lambda(lambda self, x: self.out(self.one(x)[1][0]), one=nn.GRU(6, 10, batch_first=True),
                 out=nn.Sequential(nn.Linear(10, 14), nn.Tanh(), nn.Linear(14, 5)))  # fmt: skip
    return Network(net, Truth((("gru", 10), ("tanh", 14))), (torch.randn(2, 9, 6),))


@network
def attention_only() -> Network:
    """No activation at all: the outputs of its blocks are taken."""

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm, self.attention = nn.LayerNorm(16), Attention(16)

        def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
            return x + self.attention(self.norm(x))

    end = nn.Sequential(nn.LayerNorm(16), nn.Linear(16, 5))
    net = Words([Block(), Block()], end)
    return Network(net, Truth((("block", 16),) * 5, 3), (ids(),))
