"""Exported networks as other tools leave them: quantised, halved, optimised, with weights apart."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnxruntime import quantization
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers.float16 import convert_float_to_float16

from corpus_models import Made, Truth
from corpus_models.torch_models import dynamo, network, script

OPTIMISED = ("cnn", "residual", "mobile", "mlp", "transformer", "squeeze_excite", "shuffle")
QUANTISED = ("cnn", "residual", "mobile", "mlp", "dense")
HALVED = ("cnn", "residual", "mlp", "transformer", "mobile")


@cache
def base(name: str) -> onnx.ModelProto:
    return script(name, 17)


class Calibration(CalibrationDataReader):  # type: ignore[misc]
    """A few random batches."""

    def __init__(self, name: str) -> None:
        net, rng = network(name), np.random.default_rng(0)
        sizes = {f"input_{i}": tuple(x.shape) for i, x in enumerate(net.inputs)}
        self.batches: Iterator[dict[str, np.ndarray]] = iter(
            [{k: rng.normal(size=s).astype(np.float32) for k, s in sizes.items()} for _ in range(8)]
        )

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self.batches, None)


def through_files(change: Callable[[Path, Path], None], proto: onnx.ModelProto) -> onnx.ModelProto:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.onnx", Path(folder) / "out.onnx"
        onnx.save(proto, source)
        change(source, target)
        return onnx.load(target)


def quantised(name: str, form: QuantFormat, kind: QuantType, per_channel: bool) -> onnx.ModelProto:
    def change(source: Path, target: Path) -> None:
        ready = source.with_name("ready.onnx")
        quant_pre_process(source, ready, skip_symbolic_shape=True)
        quantization.quantize_static(
            ready, target, Calibration(name), quant_format=form, per_channel=per_channel,
            activation_type=kind, weight_type=QuantType.QInt8,
        )  # fmt: skip

    return through_files(change, base(name))


def quantised_dynamically(name: str) -> onnx.ModelProto:
    def change(source: Path, target: Path) -> None:
        quantization.quantize_dynamic(source, target)

    return through_files(change, base(name))


def halved(name: str, keep_ends: bool) -> onnx.ModelProto:
    return convert_float_to_float16(base(name), keep_io_types=keep_ends)


def optimised(proto: Callable[[], onnx.ModelProto], level: str) -> onnx.ModelProto:
    """Let onnxruntime optimise for the CPU and save what it runs."""

    def change(source: Path, target: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.graph_optimization_level = getattr(
            onnxruntime.GraphOptimizationLevel, f"ORT_ENABLE_{level.upper()}"
        )
        options.optimized_model_filepath = str(target)
        onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])

    return through_files(change, proto())


def as_it_is(name: str) -> onnx.ModelProto:
    return base(name)


MODELS: dict[str, Callable[[], Made]] = {}


def add(label: str, exporter: str, name: str, build: Callable[[], onnx.ModelProto],
        truth: Truth | None = None, external: bool = False) -> None:  # fmt: skip
    MODELS[label] = lambda: Made(exporter, build(), truth or network(name).truth, external)


for name in QUANTISED:
    for form in (QuantFormat.QDQ, QuantFormat.QOperator):
        for kind in (QuantType.QUInt8, QuantType.QInt8):
            label = f"{form.name.lower()}-{kind.name[1:].lower()}-{name}"
            add(label, "ORT quantisation", name, partial(quantised, name, form, kind, False))
for name in QUANTISED:
    add(f"dynamic-{name}", "ORT quantisation", name, partial(quantised_dynamically, name))
add("qdq-per-channel-cnn", "ORT quantisation", "cnn",
    partial(quantised, "cnn", QuantFormat.QDQ, QuantType.QUInt8, True))  # fmt: skip
add("qdq-uint16-mlp", "ORT quantisation", "mlp",
    partial(quantised, "mlp", QuantFormat.QDQ, QuantType.QUInt16, False))  # fmt: skip
for name in HALVED:
    for keep in (True, False):
        label = f"fp16-{'inside' if keep else 'whole'}-{name}"
        add(label, "fp16", name, partial(halved, name, keep))
for name in OPTIMISED:
    for level in ("basic", "extended", "all"):
        add(f"ort-{level}-{name}", "ORT optimiser", name,
            partial(optimised, partial(base, name), level))  # fmt: skip
for name in ("cnn", "mlp"):
    proto = partial(quantised, name, QuantFormat.QDQ, QuantType.QUInt8, False)
    add(f"ort-extended-qdq-{name}", "ORT optimiser", name, partial(optimised, proto, "extended"))
for name in ("cnn", "transformer"):
    add(f"external-{name}", "external data", name, partial(as_it_is, name), external=True)
    add(f"external-dynamo-{name}", "external data", name, partial(dynamo, name), external=True)
