"""Networks for images in PyTorch: vision transformers, ConvNeXt, EfficientNet, MobileNetV3."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from activation_models import Truth
from activation_models.torch_parts import (
    IMAGE,
    Attention,
    Encoder,
    Lambda,
    Network,
    conv,
    head,
    network,
    residual,
    two_layers,
)  # fmt: skip


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
