"""How a batch becomes gradients: plainly, or in ways that keep a network from memorizing."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from .networks import finished


class Rule(Protocol):
    """What a network learns from a batch, and what of it is exported."""

    def backward(
        self, network: nn.Sequential, x: torch.Tensor, y: torch.Tensor, chosen: torch.Tensor
    ) -> None:
        """Set the gradients of `network` for the samples `chosen` (batch,) of `x` and `y`."""

    def exports(self, network: nn.Sequential) -> Mapping[str, nn.Sequential]:
        """Return what is exported of a trained network, by what is added to its name."""


@dataclass(frozen=True, slots=True)
class Plain:
    """Cross entropy of the given labels, nothing else."""

    def backward(
        self, network: nn.Sequential, x: torch.Tensor, y: torch.Tensor, chosen: torch.Tensor
    ) -> None:
        """Set the gradients of the mean cross entropy."""
        network.zero_grad()
        cross_entropy(network(x[chosen]), y[chosen]).backward()

    def exports(self, network: nn.Sequential) -> Mapping[str, nn.Sequential]:
        """Return the network as it is."""
        return {"": network}


@dataclass(frozen=True, slots=True)
class Mixup(Plain):
    """Convex combinations of two samples and of their losses (Zhang et al. 2018).

    The weight of the first is drawn for each batch from a Beta(alpha, alpha) distribution.
    """

    alpha: float

    def backward(
        self, network: nn.Sequential, x: torch.Tensor, y: torch.Tensor, chosen: torch.Tensor
    ) -> None:
        """Set the gradients for a batch mixed with a permutation of itself."""
        network.zero_grad()
        weight = torch.distributions.Beta(self.alpha, self.alpha).sample()
        other = chosen[torch.randperm(len(chosen))]
        logits = network(weight * x[chosen] + (1 - weight) * x[other])
        loss = weight * cross_entropy(logits, y[chosen])
        (loss + (1 - weight) * cross_entropy(logits, y[other])).backward()


@dataclass(frozen=True, slots=True)
class Bilevel(Plain):
    """Small batches, weighted by how well they agree with others (Jenni & Favaro 2018).

    The first `validation` samples of a batch give one gradient v, each `small` of the others one
    gradient g. A step goes along the mean of all g with weights max(0, <g, v>) / (|g|² + damping).
    Both kinds of batches have the labels that were given; nothing clean is needed.
    """

    validation: int = 50
    small: int = 10
    damping: float = 0.01

    def backward(
        self, network: nn.Sequential, x: torch.Tensor, y: torch.Tensor, chosen: torch.Tensor
    ) -> None:
        """Set the weighted mean of the gradients of the small batches."""
        parameters = list(network.parameters())

        def gradient(samples: torch.Tensor) -> torch.Tensor:
            loss = cross_entropy(network(x[samples]), y[samples])
            found = torch.autograd.grad(loss, parameters)
            return torch.cat([one.flatten() for one in found])

        agreed = gradient(chosen[: self.validation])
        small = chosen[self.validation :].split(self.small)
        gradients = torch.stack([gradient(samples) for samples in small])
        norms = (gradients * gradients).sum(dim=1)
        weights = (gradients @ agreed).clamp(min=0) / (norms + self.damping)
        mean = weights @ gradients / weights.sum().clamp(min=1e-12)
        sizes = [parameter.numel() for parameter in parameters]
        for parameter, part in zip(parameters, mean.split(sizes), strict=True):
            parameter.grad = part.view_as(parameter)


@dataclass(frozen=True, slots=True)
class TiedDropout:
    """Example-tied dropout behind every ReLU (Maini et al. 2023).

    The first `generalizing` share of the units learns from every sample; each other unit from a
    share `probability` of the samples, always the same ones, drawn when a layer is met first.
    """

    samples: int
    generalizing: float = 0.4
    probability: float = 0.1
    masks: dict[str, torch.Tensor] = field(default_factory=dict)

    def backward(
        self, network: nn.Sequential, x: torch.Tensor, y: torch.Tensor, chosen: torch.Tensor
    ) -> None:
        """Set the gradients of the mean cross entropy, each sample with its own units."""
        network.zero_grad()
        values = x[chosen]
        for name, layer in network.named_children():
            values = layer(values)
            if isinstance(layer, nn.ReLU):
                values = values * self._mask(name, values.shape[1])[chosen]
        cross_entropy(values, y[chosen]).backward()

    def exports(self, network: nn.Sequential) -> Mapping[str, nn.Sequential]:
        """Return the network with all units at their mean, and without the memorizing ones."""
        factors = {"": self.probability, "-dropped": 0.0}
        return {suffix: self._scaled(network, factor) for suffix, factor in factors.items()}

    def _mask(self, name: str, units: int) -> torch.Tensor:
        if name not in self.masks:
            mask = (torch.rand(self.samples, units) < self.probability).float()
            mask[:, : round(self.generalizing * units)] = 1
            self.masks[name] = mask
        return self.masks[name]

    def _scaled(self, network: nn.Sequential, factor: float) -> nn.Sequential:
        """Multiply what memorizing units say to the layer behind them."""
        scaled = copy.deepcopy(network)
        linear = [layer for layer in scaled if isinstance(layer, nn.Linear)]
        with torch.no_grad():
            for layer in linear[1:]:
                layer.weight[:, round(self.generalizing * layer.in_features) :] *= factor
        return finished(scaled)
