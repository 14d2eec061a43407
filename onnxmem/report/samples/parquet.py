"""All samples as Parquet."""

from __future__ import annotations

import importlib
import io
from typing import TYPE_CHECKING, Any

from onnxmem.errors import UsageError
from onnxmem.report.samples.rows import columns

if TYPE_CHECKING:
    from onnxmem.records import Evidence, SamplesReport


def render(report: SamplesReport | Evidence) -> bytes:
    """Return a table with a row for each sample.

    Raises:
        UsageError: pyarrow is missing.
    """
    arrow, parquet = _libraries()
    found = columns(report.samples, report.names)
    types = {"depth": arrow.int64(), "id": arrow.string()}
    table = arrow.table(
        {name: arrow.array(values, types.get(name)) for name, values in found.items()}
    )
    content = io.BytesIO()
    parquet.write_table(table, content)
    return content.getvalue()


def _libraries() -> tuple[Any, Any]:
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise UsageError(
            f"Parquet needs pyarrow ({error}); install it with: pip install 'onnxmem[arrow]', "
            "or write CSV"
        ) from error
