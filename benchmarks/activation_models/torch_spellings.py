"""Every activation in PyTorch, as a module and written by hand."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from activation_models import Truth
from activation_models.torch_parts import (
    IMAGE,
    Lambda,
    Network,
    conv,
    head,
    network,
    residual,
)

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
