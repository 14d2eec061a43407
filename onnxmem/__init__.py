"""Did this ONNX network learn or memorize?

    import onnxmem
    report = onnxmem.audit("net.onnx", x, y)
    report.summary["nmf.mixed"].auc

Method: Collins, Bigdeli, Süsstrunk, "Detecting Memorization in ReLU Networks" (arXiv:1810.03372).
"""

from onnxmem._version import __version__
from onnxmem.api import audit
from onnxmem.records import Report

__all__ = ["Report", "__version__", "audit"]
