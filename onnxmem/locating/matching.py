"""Which tensors of two networks of one architecture correspond: by their order, not by names.

So exporters, folded normalizations and renamed weights do not matter. Where one network has its
features last and the other behind the samples, activations are turned around on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onnxmem import graph
from onnxmem.arrays import Array, namespace
from onnxmem.errors import UsageError
from onnxmem.locating.crowd import Feeder
from onnxmem.network.opening import Opened
from onnxmem.text import printable


@dataclass(frozen=True, slots=True)
class Pair:
    """A tensor of a network and the one of another network that corresponds to it.

    Attributes:
        own, other: Their names.
        own_axis, other_axis: The axes of their features; equal where nothing is to be turned.
    """

    own: str
    other: str
    own_axis: int = 0
    other_axis: int = 0

    def to_other(self, array: Array) -> Array:
        """Return the own tensor as it lies in the other network."""
        return _moved(array, self.own_axis, self.other_axis)

    def to_own(self, array: Array) -> Array:
        """Return the tensor of the other network as it lies in the own one."""
        return _moved(array, self.other_axis, self.own_axis)


def _moved(array: Array, source: int, target: int) -> Array:
    if source == target:
        return array
    xp = namespace(array)
    return xp.ascontiguousarray(xp.moveaxis(array, source, target))


def match_sites(
    own: Opened, other: Opened, kinds: Sequence[str], rows: np.ndarray
) -> tuple[Pair, ...]:
    """Return the sites of `own` that lead to its output, each with the one of `other`.

    Args:
        own: a network with the sites that were chosen.
        other: one of the same architecture, with all of its sites.
        kinds: of the sites.
        rows: a few samples that both are run with.

    Raises:
        UsageError: they have other numbers of sites, or other shapes; the message names them.
    """
    total = len(graph.find_sites(own.network.model, kinds))
    if total != len(other.sites):
        raise UsageError(
            f"{_name(other)} has {len(other.sites)} activations to match and {_name(own)} has "
            f"{total}: a checkpoint has the architecture of the network; "
            f"{_name(other)}: {_listed(other.sites)}; {_name(own)}: {_listed(own.sites)}"
        )
    chosen = [site for site in own.sites if own.network.output in site.reaches]
    partners = [other.sites[site.index] for site in chosen]
    shapes = [
        _shapes(one, [site.tensor for site in sites], rows)
        for one, sites in ((own, chosen), (other, partners))
    ]
    pairs, wrong = [], []
    for site, partner, one, two in zip(chosen, partners, *shapes, strict=True):
        pair = _pair(site, partner, one, two)
        if pair is None:
            wrong.append(
                f"{printable(site.tensor)!r} {one} and {printable(partner.tensor)!r} {two}"
            )
        elif site.status == partner.status == "ok":
            pairs.append(pair)
    if wrong:
        raise UsageError(
            f"activations of {_name(own)} and {_name(other)} differ in their shapes, so they are "
            f"no checkpoints of one architecture: {'; '.join(wrong[:5])}"
        )
    return tuple(pairs)


def _pair(
    own: graph.Site, other: graph.Site, one: tuple[int, ...], two: tuple[int, ...]
) -> Pair | None:
    """Return the pair of two sites, None where their shapes (samples, ...) do not fit."""
    if len(one) != len(two):
        return None
    axes = [
        None if site.feature_axis is None else site.feature_axis % len(one) for site in (own, other)
    ]
    if axes[0] is None or axes[1] is None or axes[0] == axes[1]:
        return Pair(own.tensor, other.tensor) if one == two else None
    turned = list(two)
    turned.insert(axes[0], turned.pop(axes[1]))
    return Pair(own.tensor, other.tensor, axes[0], axes[1]) if tuple(turned) == one else None


def _shapes(opened: Opened, tensors: Sequence[str], rows: np.ndarray) -> list[tuple[int, ...]]:
    session = opened.network.session(graph.expose(opened.network.model, tensors))
    values = session.run(Feeder.of(opened)(rows), tensors) if tensors else []
    return [tuple(map(int, getattr(value, "shape", ()))) for value in values]


def _name(opened: Opened) -> str:
    return printable(str(opened.info.path), 200)


def _listed(sites: Sequence[graph.Site]) -> str:
    shown = ", ".join(printable(site.tensor, 40) for site in sites[:6])
    return f"{shown}, ..." if len(sites) > 6 else shown or "none"
