"""An onnxruntime-gpu that needs no GPU: the CPU runs what was meant for a device that is none.

It refuses what onnxruntime-gpu refuses or does not understand, and arrays that are not on the
device; tensors pass by DLPack, as they do there.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import onnxruntime
from fake_arrays import CUDA

PROVIDERS = ["CUDAExecutionProvider", "CPUExecutionProvider"]
OPTIONS = {"device_id", "user_compute_stream", "cudnn_conv_algo_search", "use_tf32"}


class OrtValue:
    """A tensor on the device."""

    def __init__(self, value: Any) -> None:
        self.value = value

    @classmethod
    def from_dlpack(cls, array: Any, /) -> OrtValue:
        value = onnxruntime.OrtValue.from_dlpack(array)
        assert value.data_ptr() % 256 == 0, "cuDNN fails on tensors that are not aligned"
        return cls(value)

    def data_type(self) -> str:
        return str(self.value.data_type())

    def __dlpack__(self, *, stream: Any = None) -> Any:
        return self.value.__dlpack__(stream=stream)

    def __dlpack_device__(self) -> tuple[int, int]:
        self.value.__dlpack_device__()
        return CUDA, 0


class Binding:
    """What a run reads and writes."""

    def __init__(self, binding: Any) -> None:
        self.binding = binding

    def bind_ortvalue_input(self, name: str, value: OrtValue) -> None:
        assert type(value) is OrtValue
        self.binding.bind_ortvalue_input(name, value.value)

    def bind_output(self, name: str, device_type: str, device_id: int) -> None:
        assert (device_type, device_id) == ("cuda", 0)
        self.binding.bind_output(name)

    def get_outputs(self) -> list[OrtValue]:
        return [OrtValue(value) for value in self.binding.get_outputs()]


class InferenceSession:
    """A session whose arrays are on the device."""

    def __init__(
        self, model: bytes, options: Any, providers: Sequence[Any], enable_fallback: int = 1
    ) -> None:
        assert not enable_fallback, "onnxruntime says on stdout that it falls back"
        self.on_device = providers != PROVIDERS[1:]
        if self.on_device:
            (name, settings), last = providers
            assert [name, last] == PROVIDERS and settings.keys() <= OPTIONS
            assert all(type(value) is str for value in settings.values())
        self.session = onnxruntime.InferenceSession(model, options, providers=PROVIDERS[1:])

    def get_providers(self) -> list[str]:
        return PROVIDERS if self.on_device else PROVIDERS[1:]

    def get_inputs(self) -> Any:
        return self.session.get_inputs()

    def get_outputs(self) -> Any:
        return self.session.get_outputs()

    def run(self, names: Any, feeds: Any, options: Any = None) -> Any:
        assert not self.on_device, "what is on the device is bound"
        return self.session.run(names, feeds, options)

    def io_binding(self) -> Binding:
        return Binding(self.session.io_binding())

    def run_with_iobinding(self, binding: Binding, options: Any = None) -> None:
        self.session.run_with_iobinding(binding.binding, options)


def preload_dlls() -> None:
    print("Failed to load libcufft.so.12")


def make() -> Any:
    """Return the module."""
    return SimpleNamespace(
        __version__=onnxruntime.__version__,
        InferenceSession=InferenceSession,
        OrtValue=OrtValue,
        RunOptions=onnxruntime.RunOptions,
        SessionOptions=onnxruntime.SessionOptions,
        GraphOptimizationLevel=onnxruntime.GraphOptimizationLevel,
        disable_telemetry_events=lambda: None,
        set_default_logger_severity=lambda severity: None,
        get_available_providers=lambda: PROVIDERS,
        preload_dlls=preload_dlls,
    )
