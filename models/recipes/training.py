"""Trains a network on given labels, and shows it as it would be exported after each epoch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from .datasets import Floats, Indices
from .networks import finished
from .rules import Plain, Rule


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast a network learns with Adam, without weight decay.

    Every network of a family learns for at least `shortest` epochs, whatever its labels, so that
    networks do not differ in how far they were trained beyond knowing their labels.
    """

    batch: int
    learning_rate: float
    target: float
    shortest: int
    longest: int

    def length(self) -> str:
        """Say when it ends."""
        if self.shortest == self.longest:
            return f"{self.longest} epochs"
        return f"at least {self.shortest} epochs, until the training accuracy is {self.target:.1%}"


@dataclass(frozen=True, slots=True)
class Epoch:
    """The network after one epoch, as it would be exported."""

    number: int
    network: nn.Sequential


def be_deterministic(seed: int) -> None:
    """Make everything that torch does from here on a function of `seed`."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(seed)


def epochs(
    network: nn.Sequential, x: Floats, y: Indices, schedule: Schedule, rule: Rule | None = None
) -> Iterator[Epoch]:
    """Train, and yield each epoch, until the target is reached after the shortest time.

    Without a `rule` the labels are learned plainly.

    Raises:
        RuntimeError: the target was not reached within the longest time that is allowed.
    """
    rule = rule or Plain()
    inputs, labels = torch.from_numpy(x), torch.from_numpy(y)
    optimizer = torch.optim.Adam(network.parameters(), lr=schedule.learning_rate)
    for number in range(1, schedule.longest + 1):
        network.train()
        for chosen in torch.randperm(len(labels)).split(schedule.batch):
            rule.backward(network, inputs, labels, chosen)
            optimizer.step()
        ready = finished(network)
        yield Epoch(number, ready)
        if number >= schedule.shortest and _accuracy(ready, inputs, labels) >= schedule.target:
            return
    raise RuntimeError(f"training accuracy stayed below {schedule.target} for {number} epochs")


def _accuracy(network: nn.Sequential, inputs: torch.Tensor, labels: torch.Tensor) -> float:
    right = network(inputs).argmax(dim=1) == labels
    return float(right.double().mean())
