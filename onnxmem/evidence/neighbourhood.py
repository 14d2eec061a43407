"""The nearest neighbours of all samples at all layers: from the store where it has them.

Layers that are not there take one pass of the network over all samples together, and go into the
store one by one, so that a run that was killed goes on where it was. Neighbours lie in the store by
the features that they are of: layers that two checkpoints have in common are searched once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from onnxmem.arrays import Array, take_rows
from onnxmem.cache import Store
from onnxmem.data import Samples
from onnxmem.evidence.contents import Contents
from onnxmem.evidence.votes import NEIGHBOURS
from onnxmem.neighbours import Directions, Nearest, block_size, nearest
from onnxmem.network.features import INPUT, Features, Place, Pool, collect
from onnxmem.network.network import Network
from onnxmem.network.padding import Padding

Advance = Callable[[str, int, int], None]
"""Told a stage, and how many of how many steps of it are done."""

_BLOCK_BYTES = 2**28
"""What a block of products takes while the largest of them are looked for."""

_WORTH_A_PASS = 16
"""Blocks of products that are worth a pass of all samples through the network."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Samples whose neighbours are looked for.

    Attributes:
        samples: as the network takes them.
        contents: the different ones among them.
        own: (contents,) the place of each among the references, -1 where it is none of them.
        names: (contents,) what they are called in messages.
    """

    samples: Samples
    contents: Contents
    own: np.ndarray
    names: Sequence[str]


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """What was found of some layers.

    Attributes:
        layers: tensor -> the neighbours of each crowd, in the order of the network.
        refused: tensor -> why a layer has none.
        predictions: of each crowd (contents,), the class that the network predicts.
        width: how many values the output that classifies has for a sample.
    """

    layers: Mapping[str, tuple[Nearest, ...]]
    refused: Mapping[str, str]
    predictions: tuple[np.ndarray, ...]
    width: int


@dataclass(frozen=True, slots=True)
class Block:
    """One of `count` equal parts of all samples, from 0 on."""

    number: int = 0
    count: int = 1

    def of(self, samples: int, step: int) -> slice:
        """Return which of so many samples those are, where `step` of them stay together."""
        steps = -(-samples // step)
        first, end = (place * steps // self.count for place in (self.number, self.number + 1))
        return slice(min(step * first, samples), min(step * end, samples))


WHOLE = Block()


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for, and where.

    Attributes:
        network: the network.
        shared: inputs that all samples have in common, on the device.
        crowds: the training samples, then held-out ones if there are any.
        references: (m,) contents of the training samples that may be neighbours.
        places: the layers, the input among them.
        pool: how positions are taken together.
        padding: what tells which positions are real.
        seed: of the projection.
        identity: tensor -> a hash of what its neighbours depend on.
        store: neighbours that were found before.
        advance: told about progress.
    """

    network: Network
    shared: Mapping[str, Array]
    crowds: tuple[Crowd, ...]
    references: np.ndarray
    places: tuple[Place, ...]
    pool: Pool
    padding: Padding | None
    seed: int
    identity: Callable[[str], str]
    store: Store
    advance: Advance

    def find(self) -> Neighbourhood:
        """Find the neighbours at all layers.

        Raises:
            InconclusiveError: the network gives no classes.
            OutOfMemoryError: see `onnxmem.network.features.collect`.
        """
        kept = _Kept(self.store, self.identity)
        known = {place.tensor: kept.neighbours(place.tensor, self.crowds) for place in self.places}
        answers = kept.answers(self.crowds)
        missing = tuple(tensor for tensor, found in known.items() if found is None)
        refused: dict[str, str] = {}
        if missing or answers is None:
            with ExitStack() as stack:
                features = [stack.enter_context(self._collect(one, missing)) for one in self.crowds]
                answers = tuple(one.predictions for one in features), features[0].width
                kept.put_answers(*answers)
                for one in features:
                    refused |= one.refused
                for number, tensor in enumerate(missing):
                    self.advance("neighbours", number, len(missing))
                    if tensor not in refused:
                        known[tensor] = self._found(tensor, features, kept, WHOLE)
        layers = {tensor: found for tensor, found in known.items() if found is not None}
        return Neighbourhood(layers, refused, *answers)

    def missing(self) -> tuple[str, ...]:
        """Return the layers whose neighbours are not in the store."""
        kept = _Kept(self.store, self.identity)
        return tuple(
            place.tensor
            for place in self.places
            if kept.neighbours(place.tensor, self.crowds) is None
        )

    @property
    def most_blocks(self) -> int:
        """Into how many blocks the training samples of a layer may be split with a gain."""
        count = len(self.crowds[0].contents.rows)
        return max(1, count // (_WORTH_A_PASS * block_size(len(self.references), NEIGHBOURS)))

    def find_block(self, tensors: Collection[str], block: Block) -> None:
        """Find the neighbours of a block of all samples at some layers, and keep them in the store.

        When the last block of a layer is there, the layer is as `find` would have left it.

        Raises:
            InconclusiveError: the network gives no classes.
            OutOfMemoryError: see `onnxmem.network.features.collect`.
        """
        kept = _Kept(self.store, self.identity)
        with ExitStack() as stack:
            features = [stack.enter_context(self._collect(one, tensors)) for one in self.crowds]
            kept.put_answers(tuple(one.predictions for one in features), features[0].width)
            refused = {tensor for one in features for tensor in one.refused}
            for number, tensor in enumerate(tensors):
                self.advance("neighbours", number, len(tensors))
                if tensor not in refused:
                    self._found(tensor, features, kept, block)

    def _collect(self, crowd: Crowd, tensors: Collection[str]) -> Any:
        rows = crowd.contents.rows
        return collect(
            self.network,
            crowd.samples.inputs,
            self.shared,
            rows,
            self.places,
            names=crowd.names,
            pool=self.pool,
            padding=self.padding,
            seed=self.seed,
            wanted=frozenset(tensors),
            advance=lambda done: self.advance("features", done, len(rows)),
        )

    def _found(
        self, tensor: str, features: Sequence[Features], kept: _Kept, block: Block
    ) -> tuple[Nearest, ...] | None:
        """Return the neighbours at a layer; those of equal features are not looked for again.

        None where other blocks of it are missing.
        """
        alike = self._features_key(tensor, features)
        found = kept.alike(alike, self.crowds)
        if found is None:
            part = self._search(tensor, features, block)
            found = part if block == WHOLE else kept.joined(alike, self._sizes(block), part, block)
        if found is not None:
            kept.put_alike(alike, found)
            kept.put_neighbours(tensor, alike)
        return found

    def _features_key(self, tensor: str, features: Sequence[Features]) -> str:
        """Return a hash of all that the neighbours at a layer follow from, its features first.

        What is not in the features depends on no network: what neighbours at the input depend on.
        """
        digest = hashlib.sha256(self.identity(INPUT).encode())
        for one in features:
            layer = one.layers[tensor]
            digest.update(repr(layer.shape).encode())
            digest.update(np.ascontiguousarray(layer).data)
        return digest.hexdigest()

    def _search(
        self, tensor: str, features: Sequence[Features], block: Block
    ) -> tuple[Nearest, ...]:
        """Return the neighbours of a block of each crowd at a layer."""
        xp = self.network.device.namespace
        trained = xp.asarray(features[0].layers[tensor])
        directions = Directions.of(take_rows(trained, self.references))
        references = directions(take_rows(trained, self.references))
        return tuple(
            nearest(
                directions(xp.asarray(one.layers[tensor][part])),
                references,
                NEIGHBOURS,
                crowd.own[part],
                self._side_by_side,
            )
            for crowd, one, part in zip(self.crowds, features, self._parts(block), strict=True)
        )

    def _parts(self, block: Block) -> list[slice]:
        """Return which samples of each crowd are in a block."""
        step = block_size(len(self.references), NEIGHBOURS)
        return [block.of(len(crowd.own), step) for crowd in self.crowds]

    def _sizes(self, block: Block) -> list[list[int]]:
        """Return for each of the blocks how many samples of each crowd it has."""
        blocks = (self._parts(Block(number, block.count)) for number in range(block.count))
        return [[part.stop - part.start for part in parts] for parts in blocks]

    def _side_by_side(self, function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        workers = self.network.workers
        at_once = max(1, min(workers.count, self.network.memory // _BLOCK_BYTES))
        return workers.map(function, items, at_once)


@dataclass(frozen=True, slots=True)
class _Entry:
    """What lies in the store: arrays as bytes, in little-endian order."""

    arrays: list[bytes]


class _Kept:
    """Neighbours and predictions in the store."""

    def __init__(self, store: Store, identity: Callable[[str], str]) -> None:
        self._store, self._identity = store, identity

    def neighbours(self, tensor: str, crowds: Sequence[Crowd]) -> tuple[Nearest, ...] | None:
        """Return the neighbours of all crowds at a layer, None where they are not kept."""
        link = self._get(self._key(tensor), 1)
        return None if link is None else self.alike(link[0].decode("ascii", "replace"), crowds)

    def put_neighbours(self, tensor: str, alike: str) -> None:
        """Keep under which hash of features the neighbours at a layer lie."""
        self._put(self._key(tensor), [alike.encode()])

    def alike(self, features: str, crowds: Sequence[Crowd]) -> tuple[Nearest, ...] | None:
        """Return the neighbours of all crowds by their features, None where they are not kept."""
        sizes = [len(crowd.contents.rows) for crowd in crowds]
        return self._nearest(_hashed(f"{features} features"), sizes)

    def put_alike(self, features: str, found: Sequence[Nearest]) -> None:
        """Keep the neighbours of all crowds by their features."""
        self._put_nearest(_hashed(f"{features} features"), found)

    def joined(
        self, features: str, sizes: Sequence[Sequence[int]], part: Sequence[Nearest], block: Block
    ) -> tuple[Nearest, ...] | None:
        """Keep a block of a layer; return all of the layer if no other is missing.

        Args:
            features: their hash.
            sizes: of each block, the samples of each crowd.
            part: what was found in this one.
            block: which it is.
        """
        keys = [_hashed(f"{features} block {one} of {block.count}") for one in range(block.count)]
        self._put_nearest(keys[block.number], part)
        found = [self._nearest(key, size) for key, size in zip(keys, sizes, strict=True)]
        known = [part if at == block.number else one for at, one in enumerate(found)]
        parts = [one for one in known if one is not None]
        if len(parts) < block.count:
            return None
        return tuple(
            Nearest(
                np.concatenate([one.rows for one in of_crowd]),
                np.concatenate([one.cosine for one in of_crowd]),
            )
            for of_crowd in zip(*parts, strict=True)
        )

    def _nearest(self, key: str, sizes: Sequence[int]) -> tuple[Nearest, ...] | None:
        """Return the neighbours of so many samples of each crowd, None where they are not kept."""
        arrays = self._get(key, 2 * len(sizes))
        if arrays is None:
            return None
        found = []
        for number, size in enumerate(sizes):
            rows, cosine = arrays[2 * number : 2 * number + 2]
            if not len(rows) == len(cosine) == 4 * size * NEIGHBOURS:
                return None
            pair = np.frombuffer(rows, "<i4"), np.frombuffer(cosine, "<f4")
            found.append(Nearest(*(one.reshape((size, NEIGHBOURS)) for one in pair)))
        return tuple(found)

    def _put_nearest(self, key: str, found: Sequence[Nearest]) -> None:
        self._put(key, [_bytes(part) for one in found for part in (one.rows, one.cosine)])

    def answers(self, crowds: Sequence[Crowd]) -> tuple[tuple[np.ndarray, ...], int] | None:
        """Return the predictions for all crowds, and the width of the output, if they are kept."""
        arrays = self._get(self._key(""), len(crowds) + 1)
        if arrays is None or any(len(one) % 8 for one in arrays):
            return None
        *found, width = (np.frombuffer(one, "<i8") for one in arrays)
        sizes = [len(crowd.contents.rows) for crowd in crowds]
        if [len(one) for one in found] != sizes or len(width) != 1:
            return None
        return tuple(found), int(width[0])

    def put_answers(self, predictions: Sequence[np.ndarray], width: int) -> None:
        """Keep the predictions for all crowds, and the width of the output."""
        self._put(self._key(""), map(_bytes, [*predictions, np.array([width])]))

    def _key(self, tensor: str) -> str:
        return _hashed(f"{self._identity(tensor)} neighbours {tensor}")

    def _put(self, key: str, arrays: Iterable[bytes]) -> None:
        self._store.put(key, msgspec.msgpack.encode(_Entry(list(arrays))))

    def _get(self, key: str, count: int) -> list[bytes] | None:
        content = self._store.get(key)
        if content is None:
            return None
        try:
            entry = msgspec.msgpack.decode(content, type=_Entry)
        except (msgspec.DecodeError, ValueError):
            return None
        return entry.arrays if len(entry.arrays) == count else None


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _bytes(array: np.ndarray) -> bytes:
    return array.astype(array.dtype.newbyteorder("<")).tobytes()
