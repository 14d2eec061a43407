"""Did this ONNX network learn or memorize?

    import onnxmem
    report = onnxmem.audit("net.onnx", x, y)
    report.evidence.network.memorized_share
    report.summary["nmf.mixed"].auc

The way of one activation, from the file to the report:

    net.onnx --graph--> head.onnx, tail.onnx        cut at the ReLU
    data.npz --data---> samples, labels             batches of one class, or mixed
    samples --runtime-> activation (n, c, h, w)     the head, run on a device by `network`
    activation -------> matrix (n h w, c)           `network.layout`, there and back
    matrix --factorize> W H at rank k               NumPy or CuPy
    W H --runtime-----> outputs (n, classes)        the tail: `compression` scores each rank
    accuracies -------> AuC, interval               `compression.curve`
    curves --auditing-> records                     and what `evidence` tells of `neighbours`
    records --findings> sentences --report--> page, table, JSON

Each room's `__init__` has its map.

Method: Collins, Bigdeli, Süsstrunk, "Detecting Memorization in ReLU Networks" (arXiv:1810.03372).
"""

import importlib
from typing import TYPE_CHECKING, Any

from onnxmem._version import __version__

if TYPE_CHECKING:
    from onnxmem import data, errors, report
    from onnxmem.api.audit import audit
    from onnxmem.api.compare import compare, load
    from onnxmem.api.inspect import inspect
    from onnxmem.api.locate import locate
    from onnxmem.api.results import (
        Comparison,
        Inspection,
        LocateReport,
        Report,
        SamplesReport,
        SurveyReport,
        TrackReport,
    )
    from onnxmem.api.samples import samples
    from onnxmem.api.survey import survey
    from onnxmem.api.track import track

__all__ = [
    "Comparison", "Inspection", "LocateReport", "Report", "SamplesReport", "SurveyReport",
    "__version__", "audit", "compare", "data", "errors", "inspect", "load", "locate", "report",
    "samples", "survey", "track",
    "TrackReport",
]  # fmt: skip

_MODULES = ("data", "errors", "report")
_HOMES = {
    "Comparison": "onnxmem.api.results",
    "Report": "onnxmem.api.results",
    "audit": "onnxmem.api.audit",
    "compare": "onnxmem.api.compare",
    "Inspection": "onnxmem.api.results",
    "inspect": "onnxmem.api.inspect",
    "load": "onnxmem.api.compare",
    "locate": "onnxmem.api.locate",
    "LocateReport": "onnxmem.api.results",
    "SamplesReport": "onnxmem.api.results",
    "samples": "onnxmem.api.samples",
    "survey": "onnxmem.api.survey",
    "SurveyReport": "onnxmem.api.results",
    "track": "onnxmem.api.track",
    "TrackReport": "onnxmem.api.results",
}
"""The module that each public function and class comes from."""


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that importing the package is quick."""
    if name in _MODULES:
        return importlib.import_module(f"onnxmem.{name}")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'onnxmem' has no attribute {name!r}")
