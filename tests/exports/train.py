"""Trains the small networks beside this file: `python tests/exports/train.py`, with PyTorch.

They learn the training samples that ship with the tool's own networks, with their true labels.
"""

from __future__ import annotations

from pathlib import Path

import by_torch
import numpy as np
import torch
import weights
from torch import nn

HERE = Path(__file__).parent
MODELS = HERE.parents[1] / "models"


def cnn() -> nn.Sequential:
    """Return a network of four convolutions for (1, 28, 28)."""
    layers: list[nn.Module] = []
    channels = 1
    for width, pooled in ((8, True), (12, True), (16, False), (16, True)):
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if pooled else []
        channels = width
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(144, 24), nn.ReLU(), nn.Linear(24, 10))


def mlp() -> nn.Sequential:
    """Return a network of two hidden layers for 144 values."""
    widths = (nn.Linear(144, 32), nn.ReLU(), nn.Linear(32, 24), nn.ReLU(), nn.Linear(24, 9))
    return nn.Sequential(*widths)


def train(network: nn.Sequential, x: torch.Tensor, y: torch.Tensor, epochs: int) -> None:
    """Train to the end with Adam."""
    optimizer = torch.optim.Adam(network.parameters(), 2e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(40):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(x[rows]), y[rows]).backward()
            optimizer.step()
    network.eval()
    print(f"training accuracy {(network(x).argmax(1) == y).float().mean():.4f}")


def main() -> None:
    """Train both networks and write them."""
    for name, make, source in (("cnn", cnn, "mnist-cnn-p00"), ("mlp", mlp, "vowels-mlp-p00")):
        torch.manual_seed(0)
        network = make()
        data = np.load(MODELS / f"{source}.npz")
        rows = data["split"] == "train"
        x, y = torch.tensor(data["x"][rows]), torch.tensor(data["y"][rows])
        train(network, x, y, epochs=60)
        plain = weights.Network(tuple(x.shape[1:]), ())
        model = by_torch.torchscript(network.requires_grad_(False), plain)
        weights.save(model, HERE / f"small-{name}.onnx", by_torch.VERSIONS)


if __name__ == "__main__":
    main()
