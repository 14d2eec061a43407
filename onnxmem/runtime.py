"""Runs ONNX on a device: the only module that imports onnxruntime.

A `Session` takes arrays and gives arrays of the library that belongs to its device: NumPy on
the CPU, CuPy on CUDA, where tensors pass between onnxruntime and CuPy by DLPack and never touch
the host. onnxruntime is imported when it is first needed, so that everything else of the
package works, and explains itself, without it.
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from onnxmem.arrays import Array, load_cupy
from onnxmem.complaints import is_of_memory, plain
from onnxmem.errors import DeviceError, ModelRefusedError, OutOfMemoryError, UsageError
from onnxmem.handover import to_array, to_value

INSTALL_CPU = "pip install onnxruntime"
INSTALL_CUDA = "pip install 'onnxruntime-gpu[cuda,cudnn]' 'cupy-cuda13x[ctk]'"
"""The lines that install what the extras `cpu` and `cuda` name."""

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"

_OLDEST = (1, 26)
"""Before it outputs that are inputs come back damaged, and it takes no tensors by DLPack."""

_FATAL = 4
"""The severity from which on onnxruntime writes to stderr; what it says of a session is raised."""


class Part(Protocol):
    """A serialized model and the folder of its external weights, if it has any."""

    @property
    def proto(self) -> bytes:
        """The serialized model."""
        ...

    @property
    def weights(self) -> Path | None:
        """The folder that its external weights are relative to."""
        ...

    @property
    def source(self) -> str:
        """What it is, for messages: a file, or a part of a model."""
        ...


@dataclass(frozen=True, slots=True)
class Device:
    """Where sessions run, and why there.

    `index` counts CUDA devices and is 0 on the CPU.
    """

    provider: str
    index: int
    reason: str

    @property
    def is_cuda(self) -> bool:
        """Whether arrays live on a CUDA device."""
        return self.provider == CUDA

    @property
    def name(self) -> str:
        """The name that `--device` takes: `cpu` or `cuda:N`."""
        return f"cuda:{self.index}" if self.is_cuda else "cpu"

    @property
    def namespace(self) -> ModuleType:
        """The array library of this device."""
        return load_cupy() if self.is_cuda else np

    @contextlib.contextmanager
    def scope(self) -> Iterator[None]:
        """Make this device, and the stream that it shares with onnxruntime, current."""
        if not self.is_cuda:
            yield
            return
        with load_cupy().cuda.Device(self.index), _shared_stream(self.index):
            yield


@functools.cache
def _shared_stream(index: int) -> Any:
    cupy = load_cupy()
    with cupy.cuda.Device(index):
        return cupy.cuda.Stream(non_blocking=True)


def load_onnxruntime() -> ModuleType:
    """Import onnxruntime, with the telemetry of its wheels turned off.

    Raises:
        DeviceError: it is not installed, or too old, or its libraries do not load.
    """
    # On Windows the call below turns it off; elsewhere only this does, before the import.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        import onnxruntime
    except ImportError as error:
        raise DeviceError(
            f"onnxruntime cannot be imported ({error}); install it with: "
            f"{INSTALL_CPU}, or on a machine with an NVIDIA GPU: {INSTALL_CUDA}"
        ) from error
    if not hasattr(onnxruntime, "InferenceSession"):
        raise DeviceError(
            "the installation of onnxruntime is broken (two wheels share its name); mend it with: "
            f"pip uninstall -y onnxruntime onnxruntime-gpu && {INSTALL_CPU}"
        )
    if tuple(map(int, onnxruntime.__version__.split(".")[:2])) < _OLDEST:
        raise DeviceError(
            f"onnxruntime {onnxruntime.__version__} is too old, it returns damaged outputs; "
            "install a newer one with: pip install -U onnxruntime, or onnxruntime-gpu"
        )
    onnxruntime.disable_telemetry_events()
    module: ModuleType = onnxruntime
    return module


def select_device(wanted: str = "auto") -> Device:
    """Return the device that `wanted` names: `auto`, `cpu`, `cuda` or `cuda:N`.

    `auto` takes CUDA where a session really starts on it, and else the CPU; `reason` says why.

    Raises:
        UsageError: `wanted` is none of these.
        DeviceError: CUDA was asked for by name and cannot be used; the message names the cause.
    """
    match = re.fullmatch(r"auto|cpu|cuda(?::(\d+))?", wanted)
    if match is None:
        raise UsageError(f"unknown device {wanted!r}: use auto, cpu, cuda or cuda:N")
    if wanted == "cpu":
        load_onnxruntime()
        return Device(CPU, 0, "asked for")
    try:
        index = int(match[1] or 0)
        _check_cuda(index)
    except DeviceError as error:
        load_onnxruntime()
        if wanted != "auto":
            raise
        return Device(CPU, 0, f"no CUDA: {error}")
    return Device(CUDA, index, "asked for" if wanted != "auto" else "CUDA works here")


def _check_cuda(index: int) -> None:
    """Start a small session on CUDA, or raise a DeviceError that names what is missing."""
    onnxruntime = load_onnxruntime()
    if CUDA not in onnxruntime.get_available_providers():
        raise DeviceError(
            "the installed onnxruntime has no CUDA provider; install the other wheel with: "
            f"pip uninstall -y {' '.join(WHEELS)} && {INSTALL_CUDA}"
        )
    cupy = load_cupy()
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise DeviceError(
            f"no usable CUDA driver ({error}); install NVIDIA's driver, or use --device cpu"
        ) from error
    if index >= count:
        raise DeviceError(f"there is no device cuda:{index}: this machine has {count}")
    onnxruntime.set_default_logger_severity(_FATAL)  # 1.31 warns of CUDA at each session
    with contextlib.redirect_stdout(io.StringIO()):  # it prints what `onnxmem doctor` tells
        onnxruntime.preload_dlls()
    device = Device(CUDA, index, "probe")
    with _usable(device), device.scope():
        # Needs what CuPy compiles and solves with, which it loads no sooner.
        ones = cupy.linalg.eigh(cupy.eye(2, dtype=np.float32))[0]
        Session(_Bytes(_IDENTITY), device).run({"x": ones})


@contextlib.contextmanager
def _usable(device: Device) -> Iterator[None]:
    """Turn whatever fails while a device is tried into a DeviceError."""
    try:
        yield
    except DeviceError:
        raise
    except Exception as error:
        raise DeviceError(f"{device.name} does not work: {plain(str(error))}") from error


@dataclass(frozen=True, slots=True)
class _Bytes:
    proto: bytes
    weights: Path | None = None
    source: str = "the probe"


# The ONNX model y = Identity(x), float32 of one free axis, IR 8, opset 13.
_IDENTITY = bytes.fromhex(
    "08083a390a100a017812017922084964656e746974791201675a100a0178120b"
    "0a09080112050a0312016e62100a0179120b0a09080112050a0312016e42040a00100d"
)


@dataclass(frozen=True, slots=True)
class TensorType:
    """Name, NumPy dtype name (or onnxruntime's type) and shape; None marks a free dimension."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]


class Session:
    """One model, ready to run on one device.

    Sessions run on one thread each, so that a result does not depend on the number of cores:
    callers run several batches at once instead. `run` may be called from several threads.
    """

    def __init__(
        self, part: Part, device: Device, *, exact: bool = False, prepack: bool = True
    ) -> None:
        """Compile `part` for `device`.

        Args:
            part: what to run.
            device: where.
            exact: leave out the optimizations that round.
            prepack: copy weights into the layout that runs fastest; without it a session is made
                in no time and maps its external weights, which pays where it runs once or twice.

        Raises:
            ModelRefusedError: onnxruntime does not take the model; the message says why.
            DeviceError: CUDA was wanted and onnxruntime fell back to something else.
        """
        onnxruntime = load_onnxruntime()
        self.device, self.source = device, part.source
        with _translated(f"onnxruntime refuses {self.source}"):
            self._session = onnxruntime.InferenceSession(
                part.proto,
                _session_options(onnxruntime, part, exact, prepack),
                providers=_providers(device),
                enable_fallback=0,  # which it would tell stdout
            )
        if self._session.get_providers()[0] != device.provider:
            raise DeviceError(
                f"onnxruntime did not start {device.provider} and would run on the CPU; "
                "run `onnxmem doctor` to see which CUDA library is missing"
            )
        self.inputs = tuple(map(_tensor_type, self._session.get_inputs()))
        self.outputs = tuple(map(_tensor_type, self._session.get_outputs()))

    def run(self, feeds: Mapping[str, Array], names: Sequence[str] | None = None) -> list[Array]:
        """Return the outputs `names` (default: all, in the model's order) for `feeds`.

        Args:
            feeds: an array of the device's library for each input.
            names: the outputs to compute.

        Raises:
            ModelRefusedError: a node fails on these inputs.
            OutOfMemoryError: the device has too little memory for them.
        """
        wanted = [output.name for output in self.outputs] if names is None else list(names)
        with _translated(f"onnxruntime fails while running {self.source}"):
            if self.device.is_cuda:
                return self._run_bound(feeds, wanted)
            outputs: list[Array] = self._session.run(wanted, dict(feeds))
            return outputs

    def _run_bound(self, feeds: Mapping[str, Array], names: Sequence[str]) -> list[Array]:
        cupy = load_cupy()
        values = load_onnxruntime().OrtValue
        binding = self._session.io_binding()
        for name, array in feeds.items():
            binding.bind_ortvalue_input(name, to_value(values, array))
        for name in names:
            binding.bind_output(name, "cuda", self.device.index)
        self._session.run_with_iobinding(binding)
        return [to_array(cupy, value) for value in binding.get_outputs()]


def _session_options(onnxruntime: ModuleType, part: Part, exact: bool, prepack: bool) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _FATAL
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    level = onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = level.ORT_ENABLE_BASIC if exact else level.ORT_ENABLE_ALL
    if not prepack:
        options.add_session_config_entry("session.disable_prepacking", "1")
    if part.weights is not None:
        options.add_session_config_entry(
            "session.model_external_initializers_file_folder_path", str(part.weights)
        )
    return options


def _providers(device: Device) -> list[Any]:
    if not device.is_cuda:
        return [CPU]
    settings = {
        "device_id": str(device.index),
        "user_compute_stream": str(_shared_stream(device.index).ptr),
        "cudnn_conv_algo_search": "HEURISTIC",
        "use_tf32": "0",
    }
    return [(CUDA, settings), CPU]


def _tensor_type(node: Any) -> TensorType:
    """Read onnxruntime's description, for instance `tensor(float)`, as a NumPy dtype's name."""
    match = re.fullmatch(r"tensor\((\w+)\)", node.type)
    names = {"float": "float32", "double": "float64", "string": "str"}
    dtype = names.get(match[1], match[1]) if match else node.type
    shape = tuple(size if isinstance(size, int) else None for size in node.shape)
    return TensorType(node.name, dtype, shape)


@contextlib.contextmanager
def _translated(what: str) -> Iterator[None]:
    """Turn any exception of onnxruntime's into one of ours, with its cause in one line."""
    try:
        yield
    except (DeviceError, KeyboardInterrupt):
        raise
    except MemoryError as error:
        raise OutOfMemoryError(_memory_advice(what)) from error
    except Exception as error:
        if is_of_memory(str(error)):
            raise OutOfMemoryError(_memory_advice(what)) from error
        raise ModelRefusedError(f"{what}: {plain(str(error))}") from error


def _memory_advice(what: str) -> str:
    return f"{what}: out of memory; use a smaller --per-class, or a smaller --memory"


WHEELS = ("onnxruntime", "onnxruntime-gpu")
"""Distributions that own the import name `onnxruntime`; only one of them may be installed."""


def versions(others: Sequence[str] = ()) -> dict[str, str]:
    """Return the versions of the libraries that results may depend on, and of `others`."""
    found = {}
    for name in (*WHEELS, "onnx", "onnx-ir", "numpy", "cupy-cuda13x", *others):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found
