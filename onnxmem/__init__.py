"""Did this ONNX network learn or memorize?

    import onnxmem
    report = onnxmem.audit("net.onnx", x, y)
    report.summary["nmf.mixed"].auc

Method: Collins, Bigdeli, Süsstrunk, "Detecting Memorization in ReLU Networks" (arXiv:1810.03372).
"""

import importlib
from typing import TYPE_CHECKING, Any

from onnxmem._version import __version__

if TYPE_CHECKING:
    from onnxmem import data
    from onnxmem.api import audit
    from onnxmem.records import Report

__all__ = ["Report", "__version__", "audit", "data"]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    """Import what is public when it is first asked for, so that the package itself is light."""
    if name == "audit":
        from onnxmem.api import audit

        return audit
    if name == "Report":
        from onnxmem.records import Report

        return Report
    if name == "data":
        return importlib.import_module("onnxmem.data")
    raise AttributeError(f"module 'onnxmem' has no attribute {name!r}")
