"""What an audit and a plan start with: the model, its sites, the samples, the device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from onnxmem import graph
from onnxmem.auditing.network import Network, prepare
from onnxmem.auditing.settings import Settings
from onnxmem.auditing.sites import check_ranks, choose_sites
from onnxmem.auditing.workers import Workers, workers
from onnxmem.binding import blames_bind
from onnxmem.data import Column, Samples, make_samples
from onnxmem.errors import InconclusiveError, NoSiteError
from onnxmem.records import ModelInfo
from onnxmem.runtime import Device, select_device


@dataclass(frozen=True, slots=True)
class OpenModel:
    """A model that is ready to be audited.

    Attributes:
        model: what the report says of it.
        sites: those that were chosen.
        samples: all that were given, as the model takes them.
        device: where it runs.
        network: the prepared model.
        team: what works on several batches at once.
    """

    model: ModelInfo
    sites: tuple[graph.Site, ...]
    samples: Samples
    device: Device
    network: Network
    team: Workers


class RefusedError(InconclusiveError):
    """A model that cannot be audited, and what is known of it.

    Attributes:
        model: what a report says of it.
        ready: all the rest, None where it has no site.
    """

    def __init__(self, message: str, model: ModelInfo, ready: OpenModel | None = None) -> None:
        super().__init__(message)
        self.model, self.ready = model, ready


@dataclass(frozen=True, slots=True)
class ReadModel:
    """A model before it is prepared.

    Attributes:
        model: as it runs, half precision widened.
        info: what a report says of it.
        sites: those that were chosen.
        refusal: why there are none, empty where there are.
    """

    model: graph.Model
    info: ModelInfo
    sites: tuple[graph.Site, ...]
    refusal: str


def read_model(path: str | Path, settings: Settings) -> ReadModel:
    """Read the model at `path`, and choose its sites.

    Raises:
        OnnxmemError: it cannot be read, or the settings fit none of its sites.
    """
    model = graph.load(path, dict(settings.bind))
    runs = graph.widen(model)
    info = model_info(path, runs)
    try:
        sites = choose_sites(model, settings.layers, settings.kind)
    except NoSiteError as error:
        return ReadModel(runs, info, (), str(error))
    if settings.ranks != "auto" and set(settings.compress) != {"ablation"}:
        check_ranks(sites, settings.ranks)
    return ReadModel(runs, info, sites, "")


def model_info(path: str | Path, model: graph.Model) -> ModelInfo:
    """Return what a report says of the model at `path`."""
    known = (model.sha256, model.ir_version, model.opset, model.producer)
    return ModelInfo(str(path), *known, model.notes)


@contextmanager
def open_model(
    path: str | Path, arrays: Mapping[str, Column], settings: Settings
) -> Iterator[OpenModel]:
    """Make the model at `path` ready for the samples in `arrays`, and free its weights at the end.

    Raises:
        RefusedError: it has no site, or the body of the `with` raised an `InconclusiveError`.
        OnnxmemError: whatever else keeps an audit from starting.
    """
    read = read_model(path, settings)
    model, info, sites = read.model, read.info, read.sites
    if read.refusal:
        raise RefusedError(read.refusal, info)
    del read  # it holds the weights
    device = select_device(settings.device)
    samples = make_samples(arrays, model.inputs, settings.split)
    with (
        blames_bind(settings.bind),
        device.scope(),
        prepare(model, samples.inputs, samples.shared, device, settings) as network,
        workers(device) as team,
    ):
        del model  # its weights are in a file now
        info = replace(info, notes=network.model.notes)
        ready = OpenModel(info, sites, samples, device, network, team)
        try:
            yield ready
        except InconclusiveError as error:
            raise RefusedError(str(error), info, ready) from error
