"""Sessions: one model on one device, arrays in and arrays out.

A `Session` takes arrays and gives arrays of the library that belongs to its device: NumPy on
the CPU, CuPy on CUDA, where tensors pass between onnxruntime and CuPy by DLPack and never touch
the host.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from onnxmem.arrays import Array, load_cupy
from onnxmem.errors import DeviceError, ModelRefusedError, OutOfMemoryError
from onnxmem.runtime.complaints import is_of_memory, plain
from onnxmem.runtime.device import CPU, CUDA, Device, shared_stream
from onnxmem.runtime.handover import to_array, to_value
from onnxmem.runtime.interrupt import listen, stoppable
from onnxmem.runtime.library import FATAL, load_onnxruntime


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
        self,
        part: Part,
        device: Device,
        *,
        exact: bool = False,
        prepack: bool = True,
        profile: Path | None = None,
    ) -> None:
        """Compile `part` for `device`.

        Args:
            part: what to run.
            device: where.
            exact: leave out the optimizations that round.
            prepack: copy weights into the layout that runs fastest; without it a session is made
                in no time and maps its external weights, which pays where it runs once or twice.
            profile: the folder where the time of each node is noted, None for not at all.

        Raises:
            ModelRefusedError: onnxruntime does not take the model; the message says why.
            DeviceError: CUDA was wanted and onnxruntime fell back to something else.
        """
        onnxruntime = load_onnxruntime()
        listen()
        self.device, self.source = device, part.source
        options = _session_options(onnxruntime, part, exact, prepack)
        if profile is not None:
            options.enable_profiling = True
            options.profile_file_prefix = str(profile / "profile")
        with _translated(f"onnxruntime refuses {self.source}"):
            self._session = onnxruntime.InferenceSession(
                part.proto,
                options,
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
            KeyboardInterrupt: a signal ended the run.
            ModelRefusedError: a node fails on these inputs.
            OutOfMemoryError: the device has too little memory for them.
        """
        wanted = [output.name for output in self.outputs] if names is None else list(names)
        with (
            _translated(f"onnxruntime fails while running {self.source}"),
            stoppable(load_onnxruntime()) as options,
        ):
            if self.device.is_cuda:
                return self._run_bound(feeds, wanted, options)
            outputs: list[Array] = self._session.run(wanted, dict(feeds), options)
            return outputs

    def end_profile(self) -> Path:
        """Return the file that holds the time of each node, of a session made with `profile`."""
        return Path(self._session.end_profiling())

    def _run_bound(
        self, feeds: Mapping[str, Array], names: Sequence[str], options: Any
    ) -> list[Array]:
        cupy = load_cupy()
        values = load_onnxruntime().OrtValue
        binding = self._session.io_binding()
        for name, array in feeds.items():
            binding.bind_ortvalue_input(name, to_value(values, array))
        for name in names:
            binding.bind_output(name, "cuda", self.device.index)
        self._session.run_with_iobinding(binding, options)
        return [to_array(cupy, value) for value in binding.get_outputs()]


_FLOAT32 = "1"
"""Compute with dequantized weights in float32, and do not quantise what they are multiplied by."""


def _session_options(onnxruntime: ModuleType, part: Part, exact: bool, prepack: bool) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = FATAL
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    level = onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = level.ORT_ENABLE_BASIC if exact else level.ORT_ENABLE_ALL
    options.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", _FLOAT32)
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
        "user_compute_stream": str(shared_stream(device.index).ptr),
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
