"""Runs ONNX on a device: the only package that uses onnxruntime.

library           imports onnxruntime, says which versions are there and what to install
device, choice    the CPU or a CUDA device; which one works here
session           one model on one device: arrays in, arrays out
profile           where the time of a run goes
handover          tensors from onnxruntime to CuPy and back, nothing copied
interrupt         runs that a signal ends
complaints, binding
what onnxruntime says when something is wrong, in words for people
"""

from onnxmem.runtime.choice import select_device
from onnxmem.runtime.device import CPU, CUDA, Device
from onnxmem.runtime.library import (
    INSTALL_CPU,
    INSTALL_CUDA,
    WHEELS,
    load_onnxruntime,
    versions,
)
from onnxmem.runtime.profile import node_seconds
from onnxmem.runtime.session import Part, Session, TensorType

__all__ = [
    "CPU",
    "CUDA",
    "INSTALL_CPU",
    "INSTALL_CUDA",
    "WHEELS",
    "Device",
    "Part",
    "Session",
    "TensorType",
    "load_onnxruntime",
    "node_seconds",
    "select_device",
    "versions",
]
