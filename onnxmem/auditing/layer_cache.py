"""Takes layers that were measured before from the store, and puts new ones there.

One entry holds the curves of one compressor on one layer, so that another compressor adds to what
is there. Layers that failed are measured again.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from onnxmem.cache import Store
from onnxmem.compression.experiment import Experiment
from onnxmem.compression.layer import Measured, measure_layer, scored
from onnxmem.graph import Site
from onnxmem.records import Curve, Layer


@dataclass(frozen=True, slots=True)
class _Entry:
    """What lies in the store; `resampled` are float64 in little-endian order."""

    layer: Layer
    resampled: dict[str, bytes]


class LayerCache:
    """The layers of one audit: from the store where it has them, else measured and put there."""

    def __init__(self, store: Store, identity: str, experiment: Experiment) -> None:
        """Look up the layers of one audit in `store`.

        Args:
            store: where results lie.
            identity: a hash of what all layers depend on.
            experiment: what all layers have in common.
        """
        self._store, self._identity, self._experiment = store, identity, experiment
        self._compress, self._batch = experiment.settings.compress, experiment.settings.batch

    @property
    def on_device(self) -> bool:
        """Whether layers are measured on a CUDA device."""
        return self._experiment.evaluation.network.device.is_cuda

    def find(self, site: Site) -> dict[str, Measured]:
        """Return what the store knows of a site, for each compressor that it knows."""
        found = {name: self._get(site, name) for name in self._compress}
        return {name: measured for name, measured in found.items() if measured is not None}

    def complete(
        self,
        site: Site,
        found: Mapping[str, Measured],
        advance: Callable[[int], None] = lambda done: None,
    ) -> Measured:
        """Return a site with the curves of all compressors; those not in `found` are measured."""
        missing = tuple(name for name in self._compress if name not in found)
        if not missing:
            return self._join(found)
        settings = replace(self._experiment.settings, compress=missing)
        measured = measure_layer(site, replace(self._experiment, settings=settings), advance)
        if not measured.layer.curves:
            return measured
        parts = {name: _part(measured, name) for name in missing}
        for name, part in parts.items():
            self._put(site, name, part)
        return self._join({**found, **parts})

    def _join(self, parts: Mapping[str, Measured]) -> Measured:
        layer = next(iter(parts.values())).layer
        curves = {one.key: one for part in parts.values() for one in part.layer.curves}
        resampled = {key: area for part in parts.values() for key, area in part.resampled.items()}
        order = [f"{name}.{kind}" for kind in self._batch for name in self._compress]
        return scored(layer, [curves[key] for key in order], resampled)

    def _put(self, site: Site, compressor: str, part: Measured) -> None:
        areas = {key: area.astype("<f8").tobytes() for key, area in part.resampled.items()}
        entry = _Entry(part.layer, areas)
        self._store.put(_key(self._identity, site, compressor), msgspec.msgpack.encode(entry))

    def _get(self, site: Site, compressor: str) -> Measured | None:
        key = _key(self._identity, site, compressor)
        content = self._store.get(key)
        if content is None:
            return None
        try:
            entry = msgspec.msgpack.decode(content, type=_Entry)
            return self._checked(entry, site, compressor)
        except (msgspec.DecodeError, ValueError):
            self._store.drop(key)
            return None

    def _checked(self, entry: _Entry, site: Site, compressor: str) -> Measured:
        """Return what an entry holds, if an audit can have put it there.

        Raises:
            ValueError: none can.
        """
        keys = [f"{compressor}.{kind}" for kind in self._batch]
        if entry.layer.tensor != site.tensor or entry.layer.status == "skipped":
            raise ValueError("it is of another layer")
        if [one.key for one in entry.layer.curves] != keys or list(entry.resampled) != keys:
            raise ValueError("it has other curves")
        if not all(map(_is_sound, entry.layer.curves)):
            raise ValueError("a curve is impossible")
        areas = {key: np.frombuffer(area, "<f8") for key, area in entry.resampled.items()}
        for one in entry.layer.curves:
            draws = len(self._experiment.weights[one.batch])
            if len(areas[one.key]) != draws or not np.isfinite(areas[one.key]).all():
                raise ValueError("its interval has no ground")
        return Measured(entry.layer, areas)


def known_compressors(
    store: Store, identity: str, site: Site, compress: Sequence[str]
) -> tuple[str, ...]:
    """Return the compressors whose curves of a site lie in the store."""
    return tuple(name for name in compress if store.get(_key(identity, site, name)) is not None)


def _key(identity: str, site: Site, compressor: str) -> str:
    text = f"{identity} {compressor} {site.tensor}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _part(measured: Measured, compressor: str) -> Measured:
    """Return a layer with the curves of one compressor alone, as the store gives it back.

    Reports are then equal to the last byte: a whole number becomes a float where one belongs.
    """
    curves = [one for one in measured.layer.curves if one.compressor == compressor]
    layer = scored(measured.layer, curves, {}).layer
    resampled = {one.key: measured.resampled[one.key] for one in curves}
    return Measured(msgspec.convert(msgspec.to_builtins(layer), Layer), resampled)


def _is_sound(one: Curve) -> bool:
    """Tell whether the numbers of a curve are finite, and as many as its points."""
    rows = [one.x, one.accuracy, one.error, *(group.accuracy for group in one.groups)]
    numbers = [one.auc, one.auc_low, one.auc_high, one.auc_relative, one.auc_bound]
    numbers += [group.auc for group in one.groups]
    return all(len(row) == len(one.x) and all(map(math.isfinite, row)) for row in rows) and all(
        map(math.isfinite, numbers)
    )
