"""What a network of the corpus is, and the register that all of them stand in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor, nn

from corpus_models import Truth


@dataclass(frozen=True)
class Network:
    """A module, what is in it, and its inputs; `batch` is the axis of the samples in them."""

    module: nn.Module
    truth: Truth
    inputs: tuple[Tensor, ...]
    batch: int = 0
    outputs: int = 1
    kinds: frozenset[str] = field(default_factory=frozenset)


ARCHITECTURES: dict[str, Callable[[], Network]] = {}


def architecture(make: Callable[[], Network]) -> Callable[[], Network]:
    ARCHITECTURES[make.__name__] = make
    return make


class Lambda(nn.Module):
    """A module from parts and a function of them."""

    def __init__(self, function: Callable[..., object], **parts: nn.Module) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *inputs: Tensor) -> object:
        return self.function(self, *inputs)
