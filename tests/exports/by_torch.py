"""Exports by PyTorch: both exporters, and BatchNorm left where it is or folded by the exporter."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable

import onnx
import torch
from torch import nn
from weights import Network

VERSIONS = f"torch {torch.__version__}"
OPSET = 18


def build(network: Network, *, norm: bool = False) -> nn.Sequential:
    """Return the network in PyTorch; with `norm`, a BatchNorm behind every convolution."""
    layers: list[nn.Module] = []
    for step in network.steps:
        weight, bias = torch.tensor(step.weight), torch.tensor(step.bias)
        match step.kind:
            case "conv":
                layer = nn.Conv2d(weight.shape[1], len(bias), 3, padding=1)
                layers += [_filled(layer, weight, bias)]
                layers += [_unfolded(layer)] if norm else []
            case "dense":
                layers.append(_filled(nn.Linear(weight.shape[1], len(bias)), weight, bias))
            case "relu":
                layers.append(nn.ReLU())
            case "pool":
                layers.append(nn.MaxPool2d(2))
            case "flatten":
                layers.append(nn.Flatten())
    return nn.Sequential(*layers).eval().requires_grad_(False)


def _filled(layer: nn.Module, weight: torch.Tensor, bias: torch.Tensor) -> nn.Module:
    layer.load_state_dict({"weight": weight, "bias": bias})
    return layer


def _unfolded(layer: nn.Conv2d) -> nn.BatchNorm2d:
    """Take a random scale and shift out of a convolution, and return the BatchNorm that adds it."""
    channels = layer.out_channels
    generator = torch.Generator().manual_seed(channels)
    norm = nn.BatchNorm2d(channels)
    mean, shift = torch.randn(2, channels, generator=generator)
    spread, scale = torch.rand(2, channels, generator=generator) + 0.5
    norm.load_state_dict(
        {
            "weight": scale,
            "bias": shift,
            "running_mean": mean,
            "running_var": spread**2,
            "num_batches_tracked": torch.tensor(1),
        }
    )
    factor = (spread**2 + norm.eps).sqrt() / scale
    layer.weight.data *= factor[:, None, None, None]
    layer.bias.data = (layer.bias.data - shift) * factor + mean
    return norm


def exports(network: Network) -> dict[str, Callable[[], onnx.ModelProto]]:
    """Return the exports of a network by name."""
    found = {
        "torch-torchscript": lambda: torchscript(build(network), network),
        "torch-dynamo": lambda: _dynamo(build(network), network),
    }
    if not network.is_dense:
        found["torch-norm-folded"] = lambda: torchscript(build(network, norm=True), network)
        found["torch-norm-kept"] = lambda: torchscript(
            build(network, norm=True),
            network,
            training=torch.onnx.TrainingMode.PRESERVE,
            do_constant_folding=False,
        )
    return found


def torchscript(module: nn.Module, network: Network, **options: object) -> onnx.ModelProto:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            (torch.zeros(1, *network.shape),),
            buffer,
            dynamo=False,
            opset_version=OPSET,
            input_names=["x"],
            output_names=["logits"],
            dynamic_axes={"x": {0: "batch"}, "logits": {0: "batch"}},
            **options,
        )
    return onnx.load_from_string(buffer.getvalue())


def _dynamo(module: nn.Module, network: Network) -> onnx.ModelProto:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module,
            (torch.zeros(2, *network.shape),),
            dynamo=True,
            opset_version=OPSET,
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            verbose=False,
        )
    return program.model_proto
