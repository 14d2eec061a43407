"""The architectures of the shipped networks, each a flat sequence of named layers."""

from __future__ import annotations

import copy
from collections import OrderedDict
from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

BLOCKS = ((16, 16), (24, 24), (32, 32), (40, 40))
POOLED = (1, 2, 4)
"""Blocks with max-pooling behind them."""


def cnn(classes: int) -> nn.Sequential:
    """Return a VGG-like network for (1, 28, 28): eight convolutions, nine ReLUs, BatchNorm."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    channels = 1
    for block, widths in enumerate(BLOCKS, start=1):
        for place, width in enumerate(widths, start=1):
            name = f"{block}_{place}"
            layers[f"conv{name}"] = nn.Conv2d(channels, width, 3, padding=1, bias=False)
            layers[f"norm{name}"] = nn.BatchNorm2d(width)
            layers[f"relu{name}"] = nn.ReLU()
            channels = width
        if block in POOLED:
            layers[f"pool{block}"] = nn.MaxPool2d(2)
    layers["flatten"] = nn.Flatten()
    layers["fc1"] = nn.Linear(channels * 3 * 3, 48)
    layers["relu_fc1"] = nn.ReLU()
    layers["fc2"] = nn.Linear(48, classes)
    return nn.Sequential(layers)


def mlp(inputs: int, hidden: tuple[int, ...], classes: int) -> nn.Sequential:
    """Return a fully connected network: `hidden` layers with ReLU, then a linear one."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
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
