"""The architectures of the shipped networks, each a flat sequence of named layers."""

from __future__ import annotations

import copy
from collections import OrderedDict
from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

POOLED = (1, 2, 4)
"""Blocks with max-pooling behind them."""


def cnn(
    classes: int,
    blocks: tuple[int, ...] = (16, 24, 32, 40),
    hidden: int = 48,
    activation: type[nn.Module] = nn.ReLU,
) -> nn.Sequential:
    """Return a VGG-like network for (1, 28, 28): convolutions, BatchNorm, nine activations.

    Each of four blocks has two convolutions of one width.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    channels, act = 1, activation.__name__.lower()
    for block, width in enumerate(blocks, start=1):
        for place in (1, 2):
            name = f"{block}_{place}"
            layers[f"conv{name}"] = nn.Conv2d(channels, width, 3, padding=1, bias=False)
            layers[f"norm{name}"] = nn.BatchNorm2d(width)
            layers[f"{act}{name}"] = activation()
            channels = width
        if block in POOLED:
            layers[f"pool{block}"] = nn.MaxPool2d(2)
    layers["flatten"] = nn.Flatten()
    layers["fc1"] = nn.Linear(channels * 3 * 3, hidden)
    layers[f"{act}_fc1"] = activation()
    layers["fc2"] = nn.Linear(hidden, classes)
    return nn.Sequential(layers)


def mlp(inputs: int, hidden: tuple[int, ...], classes: int, images: bool = False) -> nn.Sequential:
    """Return a fully connected network: `hidden` layers with ReLU, then a linear one.

    With `images` it takes inputs of more than one axis and flattens them first.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    if images:
        layers["flatten"] = nn.Flatten()
    for place, (width_in, width_out) in enumerate(pairwise((inputs, *hidden)), start=1):
        layers[f"fc{place}"] = nn.Linear(width_in, width_out)
        layers[f"relu{place}"] = nn.ReLU()
    layers[f"fc{len(hidden) + 1}"] = nn.Linear(hidden[-1], classes)
    return nn.Sequential(layers)


def finished(network: nn.Sequential) -> nn.Sequential:
    """Return the network as it is exported: in eval mode, folded, weights on the float16 grid.

    Folding multiplies each BatchNorm into the convolution before it; the layers share nothing
    with `network`.
    """
    network.eval()
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for name, layer in network.named_children():
        if isinstance(layer, nn.BatchNorm2d):
            before, convolution = layers.popitem()
            layers[before] = fuse_conv_bn_eval(convolution, layer)
        else:
            layers[name] = layer
    folded = copy.deepcopy(nn.Sequential(layers))
    for parameter in folded.parameters():
        parameter.data = parameter.data.half().float()
    return folded.requires_grad_(False)
