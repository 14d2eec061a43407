"""Networks without a ReLU in PyTorch, each with its activations and with inputs to trace it on.

Small ones of the shape of those that people use: vision transformers, ConvNeXt, EfficientNet,
MobileNetV3, BERT, GPT, LLaMA, Conformer, wav2vec.
"""

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
Sites = tuple[tuple[str, int], ...]


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


ACTIVATIONS: tuple[tuple[str, nn.Module | Callable[[Tensor], Tensor]], ...] = (
    ("gelu", nn.GELU()),
    ("gelu", nn.GELU(approximate="tanh")),
    ("gelu", lambda x: x * torch.sigmoid(1.702 * x)),
    ("gelu", lambda x: 0.5 * x * (1 + torch.tanh(0.79788456 * (x + 0.044715 * torch.pow(x, 3))))),
    ("gelu", lambda x: x * 0.5 * (1.0 + torch.erf(x / math.sqrt(2.0)))),
    ("silu", nn.SiLU()),
    ("silu", lambda x: x * torch.sigmoid(0.7 * x)),
    ("silu", lambda x: x / (1 + torch.exp(-x))),
    ("hardswish", nn.Hardswish()),
    ("mish", nn.Mish()),
    ("mish", lambda x: x * torch.tanh(torch.log(1 + torch.exp(x)))),
    ("elu", nn.ELU()),
    ("elu", nn.ELU(0.5)),
    ("selu", nn.SELU()),
    ("celu", nn.CELU(1.5)),
    ("leakyrelu", nn.LeakyReLU(0.1)),
    ("leakyrelu", lambda x: torch.maximum(x, 0.2 * x)),
    ("leakyrelu", lambda x: torch.where(x > 0, x, 0.05 * x)),
    ("prelu", nn.PReLU(24)),
    ("tanh", nn.Tanh()),
    ("softsign", nn.Softsign()),
    ("softsign", lambda x: x / (1 + x.abs())),
    ("softplus", nn.Softplus()),
    ("softplus", nn.Softplus(2.0)),
    ("sigmoid", nn.Sigmoid()),
    ("hardsigmoid", nn.Hardsigmoid()),
)


@network
def spellings() -> Network:
    """Every activation after a layer of its own, as a module and written by hand."""
    layers: list[nn.Module] = [nn.Linear(12, 24)]
    for kind, act in ACTIVATIONS:
        if kind == "prelu":
            nn.init.uniform_(act.weight, 0.1, 0.4)  # type: ignore[union-attr,arg-type]
        layers.append(act if isinstance(act, nn.Module) else Lambda(lambda self, x, f=act: f(x)))
        layers.append(nn.Linear(24, 24))
    layers.append(nn.Linear(24, 5))
    sites = tuple((kind, 24) for kind, _ in ACTIVATIONS)
    return Network(nn.Sequential(*layers), Truth(sites, 20), (torch.randn(2, 12),))


@network
def spellings_2d() -> Network:
    """The same behind convolutions and batch normalisations."""
    layers: list[nn.Module] = [conv(3, 24)]
    for kind, act in ACTIVATIONS:
        if kind == "prelu":
            nn.init.uniform_(act.weight, 0.1, 0.4)  # type: ignore[union-attr,arg-type]
        layers.append(act if isinstance(act, nn.Module) else Lambda(lambda self, x, f=act: f(x)))
        layers += [conv(24, 24, 1), nn.BatchNorm2d(24)]
    sites = tuple((kind, 24) for kind, _ in ACTIVATIONS)
    return Network(nn.Sequential(*layers, head(24)), Truth(sites, 20), (torch.randn(IMAGE),))


class Vit(nn.Module):
    def __init__(self, act: nn.Module, *, whole: bool) -> None:
        super().__init__()
        self.patch, self.norm = nn.Conv2d(3, 16, 4, 4), nn.LayerNorm(16)
        self.cls = nn.Parameter(torch.randn(1, 1, 16))
        self.place = nn.Parameter(torch.randn(1, 17, 16))
        self.layers = nn.ModuleList(
            Encoder(16, two_layers(16, 40 + i, act), Attention(16, whole=whole)) for i in range(2)
        )
        self.out = nn.Linear(16, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(x.shape[0], -1, -1), x], 1) + self.place
        for layer in self.layers:
            x = layer(x)
        return self.out(self.norm(x)[:, 0])


@network
def vit() -> Network:
    truth = Truth((("gelu", 40), ("gelu", 41)), 4)
    return Network(Vit(nn.GELU(), whole=False), truth, (torch.randn(IMAGE),))


@network
def clip_vit() -> Network:
    """With x σ(1.702 x), and attention as one function."""
    act = Lambda(lambda self, x: x * torch.sigmoid(1.702 * x))
    truth = Truth((("gelu", 40), ("gelu", 41)), 4)
    return Network(Vit(act, whole=True), truth, (torch.randn(IMAGE),))


@network
def convnext() -> Network:
    class Block(nn.Module):
        def __init__(self, width: int) -> None:
            super().__init__()
            self.depth, self.norm = conv(width, width, 7, groups=width), nn.LayerNorm(width)
            self.mlp, self.scale = two_layers(width, 44, nn.GELU()), nn.Parameter(torch.ones(width))

        def forward(self, x: Tensor) -> Tensor:
            y = self.norm(self.depth(x).permute(0, 2, 3, 1))
            return x + (self.scale * 0.1 * self.mlp(y)).permute(0, 3, 1, 2)

    net = nn.Sequential(nn.Conv2d(3, 12, 4, 4), Block(12), Block(12), head(12))
    return Network(net, Truth((("gelu", 44),) * 2, 2), (torch.randn(IMAGE),))


def excite(width: int, act: nn.Module, gate: nn.Module) -> nn.Module:
    inner = nn.Sequential(nn.AdaptiveAvgPool2d(1), conv(width, 4, 1), act, conv(4, width, 1), gate)
    return Lambda(lambda self, x: x * self.inner(x), inner=inner)


def inverted(width: int, hidden: int, act: Callable[[], nn.Module], gate: nn.Module) -> nn.Module:
    return residual(nn.Sequential(
        conv(width, hidden, 1), nn.BatchNorm2d(hidden), act(),
        conv(hidden, hidden, groups=hidden), nn.BatchNorm2d(hidden), act(),
        excite(hidden, act(), gate), conv(hidden, width, 1), nn.BatchNorm2d(width),
    ))  # fmt: skip


@network
def efficientnet() -> Network:
    net = nn.Sequential(
        conv(3, 8), nn.BatchNorm2d(8), nn.SiLU(), inverted(8, 20, nn.SiLU, nn.Sigmoid()),
        inverted(8, 22, nn.SiLU, nn.Sigmoid()), conv(8, 26, 1), nn.SiLU(), head(26),
    )  # fmt: skip
    widths = (8, 20, 20, 4, 22, 22, 4, 26)
    truth = Truth(tuple(("silu", width) for width in widths), len(widths) + 2)
    return Network(net, truth, (torch.randn(IMAGE),))


@network
def mobilenet_v3() -> Network:
    net = nn.Sequential(
        conv(3, 8), nn.BatchNorm2d(8), nn.Hardswish(),
        inverted(8, 20, nn.Hardswish, nn.Hardsigmoid()), conv(8, 26, 1), nn.Hardswish(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(26, 30), nn.Hardswish(), nn.Linear(30, 5),
    )  # fmt: skip
    widths = (8, 20, 20, 4, 26, 30)
    truth = Truth(tuple(("hardswish", width) for width in widths), len(widths) + 1)
    return Network(net, truth, (torch.randn(IMAGE),))


@network
def mobilenet_v3_by_hand() -> Network:
    swish = Lambda(lambda self, x: x * F.relu6(x + 3) / 6)
    gate = Lambda(lambda self, x: F.relu6(x + 3.0) * (1 / 6))
    net = nn.Sequential(
        conv(3, 8), nn.BatchNorm2d(8), swish, inverted(8, 20, lambda: swish, gate),
        conv(8, 26, 1), swish, head(26),
    )  # fmt: skip
    widths = (8, 20, 20, 4, 26)
    truth = Truth(tuple(("hardswish", width) for width in widths), len(widths) + 1)
    return Network(net, truth, (torch.randn(IMAGE),))


@network
def darknet() -> Network:
    """LeakyReLU, residual, two sizes put together."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            act = nn.LeakyReLU(0.1)
            self.one = nn.Sequential(conv(3, 8), nn.BatchNorm2d(8), act)
            self.two = residual(nn.Sequential(conv(8, 6, 1), act, conv(6, 8), act))
            self.down = nn.Sequential(conv(8, 12, stride=2), act)
            self.join = nn.Sequential(conv(20, 14, 1), act)
            self.head = head(14)

        def forward(self, x: Tensor) -> Tensor:
            x = self.two(self.one(x))
            y = F.interpolate(self.down(x), scale_factor=2.0)
            return self.head(self.join(torch.cat([x, y], 1)))

    truth = Truth(tuple(("leakyrelu", width) for width in (8, 6, 8, 12, 14)))
    return Network(Net(), truth, (torch.randn(IMAGE),))


@network
def unet() -> Network:
    """GroupNorm and SiLU, as in diffusion models, with a time embedding."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.time = conv(3, 8), nn.Sequential(nn.Linear(4, 10), nn.SiLU(),
                                                            nn.Linear(10, 8))  # fmt: skip
            self.block = nn.Sequential(nn.GroupNorm(4, 8), nn.SiLU(), conv(8, 8))
            self.end, self.head = nn.Sequential(nn.GroupNorm(2, 8), nn.SiLU()), head(8)

        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            x = self.one(x)
            x = x + self.block(x) + self.time(t)[:, :, None, None]
            return self.head(self.end(x))

    truth = Truth((("silu", 8), ("silu", 10), ("silu", 8)), 3)
    return Network(Net(), truth, (torch.randn(IMAGE), torch.randn(2, 4)))


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
def self_normalizing() -> Network:
    net = nn.Sequential(nn.Linear(12, 24), nn.SELU(), nn.AlphaDropout(0.1), nn.Linear(24, 20),
                        nn.SELU(), nn.Linear(20, 5), nn.Softmax(1))  # fmt: skip
    return Network(net, Truth((("selu", 24), ("selu", 20)), 1), (torch.randn(2, 12),))


@network
def tanh_mlp() -> Network:
    net = nn.Sequential(nn.Linear(12, 24), nn.Tanh(), nn.Linear(24, 20), nn.Sigmoid(),
                        nn.Linear(20, 5), nn.Sigmoid())  # fmt: skip
    return Network(net, Truth((("tanh", 24), ("sigmoid", 20)), 1), (torch.randn(2, 12),))


@network
def elu_cnn() -> Network:
    net = nn.Sequential(conv(3, 8), nn.ELU(), nn.MaxPool2d(2), conv(8, 12), nn.ELU(),
                        conv(12, 14), nn.CELU(1.3), head(14))  # fmt: skip
    return Network(net, Truth((("elu", 8), ("elu", 12), ("celu", 14))), (torch.randn(IMAGE),))


@network
def mish_cnn() -> Network:
    net = nn.Sequential(conv(3, 8), nn.Mish(), residual(nn.Sequential(conv(8, 12), nn.Mish(),
                        conv(12, 8))), head(8))  # fmt: skip
    return Network(net, Truth((("mish", 8), ("mish", 12)), 4), (torch.randn(IMAGE),))


@network
def prelu_cnn() -> Network:
    acts = [nn.PReLU(8), nn.PReLU(12)]
    for act in acts:
        nn.init.uniform_(act.weight, 0.1, 0.4)
    net = nn.Sequential(conv(3, 8), acts[0], conv(8, 12), acts[1], head(12))
    return Network(net, Truth((("prelu", 8), ("prelu", 12))), (torch.randn(IMAGE),))


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
