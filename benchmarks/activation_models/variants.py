"""Exported networks as other tools leave them: fused, optimised, quantised, halved."""

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
from onnxruntime.transformers import optimizer
from onnxruntime.transformers.float16 import convert_float_to_float16

from activation_models import Made, Truth
from activation_models.torch_models import network, script

OPTIMISED = ("vit", "clip_vit", "convnext", "efficientnet", "mobilenet_v3", "darknet", "bert",
             "llama", "gated_kinds", "wavenet", "mish_cnn", "tanh_mlp", "elu_cnn")  # fmt: skip
FUSED = {"bert": "bert", "gpt": "gpt2", "vit": "vit", "clip_vit": "clip", "wav2vec": "bert"}
"""Networks, and the type of model that the optimiser for transformers is told."""

QUANTISED = ("efficientnet", "mobilenet_v3", "mobilenet_v3_by_hand", "darknet", "vit", "llama",
             "conformer", "wavenet", "tanh_mlp")  # fmt: skip
DYNAMIC = ("vit", "bert", "llama", "convnext")
HALVED = ("vit", "efficientnet", "llama", "spellings", "wavenet")


@cache
def base(name: str) -> onnx.ModelProto:
    return script(name, 17)


class Calibration(CalibrationDataReader):  # type: ignore[misc]
    """A few random batches."""

    def __init__(self, name: str) -> None:
        inputs, rng = network(name).inputs, np.random.default_rng(0)
        self.batches: Iterator[dict[str, np.ndarray]] = iter(
            [{f"input_{i}": like(x.numpy(), rng) for i, x in enumerate(inputs)} for _ in range(8)]
        )

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self.batches, None)


def like(array: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if array.dtype.kind == "i":
        return rng.integers(0, 20, array.shape)
    return rng.normal(size=array.shape).astype(np.float32)


def through_files(change: Callable[[Path, Path], None], proto: onnx.ModelProto) -> onnx.ModelProto:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.onnx", Path(folder) / "out.onnx"
        onnx.save(proto, source)
        change(source, target)
        return onnx.load(target)


def quantised(name: str, form: QuantFormat, kind: QuantType) -> onnx.ModelProto:
    def change(source: Path, target: Path) -> None:
        ready = source.with_name("ready.onnx")
        quant_pre_process(source, ready, skip_symbolic_shape=True)
        quantization.quantize_static(
            ready, target, Calibration(name), quant_format=form, activation_type=kind,
            weight_type=QuantType.QInt8,
        )  # fmt: skip

    return through_files(change, base(name))


def quantised_dynamically(name: str) -> onnx.ModelProto:
    def change(source: Path, target: Path) -> None:
        quantization.quantize_dynamic(source, target)

    return through_files(change, base(name))


def halved(name: str) -> onnx.ModelProto:
    return convert_float_to_float16(base(name))


def fused(name: str, kind: str, *, half: bool = False) -> onnx.ModelProto:
    """Let the optimiser for transformers put activations, norms and attention into one each."""

    def change(source: Path, target: Path) -> None:
        made = optimizer.optimize_model(str(source), kind, num_heads=2, hidden_size=16,
                                        opt_level=0)  # fmt: skip
        if half:
            made.convert_float_to_float16()
        made.save_model_to_file(str(target))

    return through_files(change, base(name))


def optimised(name: str, level: str) -> onnx.ModelProto:
    """Let onnxruntime optimise for the CPU and save what it runs."""

    def change(source: Path, target: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.graph_optimization_level = getattr(
            onnxruntime.GraphOptimizationLevel, f"ORT_ENABLE_{level.upper()}"
        )
        options.optimized_model_filepath = str(target)
        onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])

    return through_files(change, base(name))


MODELS: dict[str, Callable[[], Made]] = {}


def add(label: str, exporter: str, name: str, build: Callable[[], onnx.ModelProto],
        truth: Truth | None = None) -> None:  # fmt: skip
    MODELS[label] = lambda: Made(exporter, build(), truth or network(name).truth)


for name in OPTIMISED:
    for level in ("extended", "all"):
        add(f"ort-{level}-{name}", "ORT optimiser", name, partial(optimised, name, level))
for name, kind in FUSED.items():
    add(f"fused-{name}", "ORT transformers", name, partial(fused, name, kind))
add("fused-half-bert", "ORT transformers", "bert", partial(fused, "bert", "bert", half=True))
for name in QUANTISED:
    for form in (QuantFormat.QDQ, QuantFormat.QOperator):
        label = f"{form.name.lower()}-{name}"
        build = partial(quantised, name, form, QuantType.QUInt8)
        add(label, "ORT quantisation", name, build)
for name in ("efficientnet", "vit"):
    build = partial(quantised, name, QuantFormat.QDQ, QuantType.QInt8)
    add(f"qdq-int8-{name}", "ORT quantisation", name, build)
for name in DYNAMIC:
    add(f"dynamic-{name}", "ORT quantisation", name, partial(quantised_dynamically, name))
for name in HALVED:
    add(f"fp16-{name}", "fp16", name, partial(halved, name))
