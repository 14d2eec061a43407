"""Opens a network: the model, its sites, the samples and the device, made ready together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from onnxmem import graph
from onnxmem.arrays import Array
from onnxmem.data import Column, Samples, make_samples
from onnxmem.errors import InconclusiveError, NoSiteError
from onnxmem.network.lost_scores import naming_lost
from onnxmem.network.network import Network, prepare
from onnxmem.network.optimizations import check_optimizations
from onnxmem.network.padding import Padding, find_padding
from onnxmem.network.settings import RunSettings
from onnxmem.network.sites import choose_sites, told
from onnxmem.network.workers import workers
from onnxmem.records import ModelInfo
from onnxmem.runtime import Session, select_device
from onnxmem.runtime.binding import blames_bind


@dataclass(frozen=True, slots=True)
class Opened:
    """A network, and all that it was opened with.

    Attributes:
        info: what a report says of the model.
        sites: those that were chosen.
        samples: all that were given, as the network takes them.
        network: what runs them.
        padding: what tells which of their positions are real, None where all are.
    """

    info: ModelInfo
    sites: tuple[graph.Site, ...]
    samples: Samples
    network: Network
    padding: Padding | None = None


class RefusedError(InconclusiveError):
    """A network that cannot be asked anything, and what is known of it.

    Attributes:
        info: what a report says of the model.
        opened: all the rest, None where it has no site.
    """

    def __init__(self, message: str, info: ModelInfo, opened: Opened | None = None) -> None:
        super().__init__(message)
        self.info, self.opened = info, opened


def load_model(
    path: str | Path, settings: RunSettings
) -> tuple[graph.Model, tuple[graph.Site, ...] | NoSiteError]:
    """Return the model at `path` as it runs, half precision widened, and its sites.

    Where the default takes others than ReLUs, a note of the model says so. In place of the sites
    comes the reason where there are none.

    Raises:
        OnnxmemError: it cannot be read, or the settings fit none of its sites.
    """
    model = graph.load(path, dict(settings.bind))
    runs = graph.widen(model)
    try:
        sites = choose_sites(model, settings.layers, settings.kind)
    except NoSiteError as error:
        return runs, error
    settings.check_sites(sites)
    return replace(runs, notes=(*runs.notes, *told(sites, settings.kind))), sites


def model_info(path: str | Path, model: graph.Model) -> ModelInfo:
    """Return what a report says of the model at `path`."""
    known = (model.sha256, model.ir_version, model.opset, model.producer)
    return ModelInfo(str(path), *known, model.notes)


@contextmanager
def open_network(
    path: str | Path, arrays: Mapping[str, Column], settings: RunSettings, *, tried: bool = True
) -> Iterator[Opened]:
    """Make the model at `path` ready for the samples in `arrays`, and free its weights at the end.

    Unless it is `tried`, nobody looks whether onnxruntime's optimizations leave it what it is.

    Raises:
        RefusedError: it has no site, or the body of the `with` raised an `InconclusiveError`.
        OnnxmemError: whatever else keeps it from being asked.
    """
    model, sites = load_model(path, settings)
    info = model_info(path, model)
    if isinstance(sites, NoSiteError):
        raise RefusedError(str(sites), info)
    device = select_device(settings.device)
    samples = make_samples(arrays, model.inputs, settings.split)
    with (
        blames_bind(settings.bind),
        device.scope(),
        prepare(model, samples.inputs, samples.shared, device, settings) as prepared,
        workers(device) as team,
    ):
        del model  # its weights are in a file now
        network = replace(prepared, workers=team)
        padding = find_padding(network, samples)
        notes = () if padding is None else (padding.note(samples),)
        info = replace(info, notes=(*network.model.notes, *notes))
        opened = Opened(info, sites, samples, network, padding)
        try:
            with _naming_lost(network, samples):
                told_of = check_optimizations(network, samples) if tried else ()
                yield replace(opened, info=replace(info, notes=(*info.notes, *told_of)))
        except InconclusiveError as error:
            raise RefusedError(str(error), info, opened) from error


def _naming_lost(network: Network, samples: Samples) -> AbstractContextManager[None]:
    """Let the refusal of scores name all samples that have none."""

    @cache
    def session() -> Session:
        return network.session(graph.expose(network.model, []))

    def output_of(rows: np.ndarray) -> Array:
        feeds = network.feeds({name: array[rows] for name, array in samples.inputs.items()})
        return session().run(feeds | network.feeds(samples.shared), [network.output])[0]

    return naming_lost(network, len(samples), samples.called, output_of)
