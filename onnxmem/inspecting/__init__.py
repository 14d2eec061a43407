"""Looks at a model without labels: its sites, what their cuts need, and whether these hold."""

from onnxmem.inspecting.inspection import inspect
from onnxmem.inspecting.records import Inspected, Inspection, Trial

__all__ = ["Inspected", "Inspection", "Trial", "inspect"]
