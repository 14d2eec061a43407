"""Results as Python hands them out: the records, and what writes and shows them.

The records themselves know no format. These classes add nothing but methods, so that one is taken
wherever its record is.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np

from onnxmem import records
from onnxmem import report as formats
from onnxmem.report.samples.rows import columns
from onnxmem.report.track.csv import columns as track_columns


def _fields(record: Any) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in fields(record)}


def _written(text: str, path: str | Path | None) -> str:
    if path is not None:
        formats.write(text, path)
    return text


def _frame(columns: Mapping[str, Sequence[Any]]) -> Any:
    """Return columns as a DataFrame where pandas is installed, else as arrays by name."""
    try:
        pandas = importlib.import_module("pandas")
    except ImportError:
        return {name: np.array(values) for name, values in columns.items()}
    return pandas.DataFrame(columns)


@dataclass(frozen=True, slots=True)
class Report(records.Report):
    """What one audit measured; see `onnxmem.records.Report` for the fields."""

    @classmethod
    def of(cls, record: records.Report) -> Self:
        """Return a record with the methods of this class."""
        return cls(**_fields(record))

    def to_json(self, path: str | Path | None = None) -> str:
        """Return the report as JSON text, and write it to `path` where one is given."""
        return _written(formats.render(self, "json"), path)

    def to_html(self, path: str | Path | None = None) -> str:
        """Return the report as a self-contained page, and write it to `path` where one is given."""
        return _written(formats.render(self, "html"), path)

    def _repr_html_(self) -> str:
        """Show the report as a table in a notebook."""
        return formats.render(self, "notebook")


@dataclass(frozen=True, slots=True)
class Comparison(records.Comparison):
    """Several reports side by side; see `onnxmem.records.Comparison` for the fields."""

    @classmethod
    def of(cls, record: records.Comparison) -> Self:
        """Return a record with the methods of this class."""
        return cls(**_fields(record))

    def to_json(self, path: str | Path | None = None) -> str:
        """Return the comparison as JSON text, and write it to `path` where one is given."""
        return _written(formats.render_comparison(self, "json"), path)

    def to_html(self, path: str | Path | None = None) -> str:
        """Return the comparison as a page, and write it to `path` where one is given."""
        return _written(formats.render_comparison(self, "html"), path)


@dataclass(frozen=True, slots=True)
class SamplesReport(records.SamplesReport):
    """Which samples a network memorized; see `onnxmem.records.SamplesReport` for the fields."""

    @classmethod
    def of(cls, record: records.SamplesReport) -> Self:
        """Return a record with the methods of this class."""
        return cls(**_fields(record))

    def to_json(self, path: str | Path | None = None) -> str:
        """Return the report as JSON text, and write it to `path` where one is given."""
        return _written(str(formats.render_samples(self, "json")), path)

    def to_html(self, path: str | Path | None = None) -> str:
        """Return a page with pictures of samples, and write it to `path` where one is given."""
        return _written(str(formats.render_samples(self, "html")), path)

    def to_csv(self, path: str | Path | None = None) -> str:
        """Return all samples as CSV, a row each, and write it to `path` where one is given."""
        return _written(str(formats.render_samples(self, "csv")), path)

    def to_frame(self) -> Any:
        """Return all samples, a row each: a pandas DataFrame, a dictionary of arrays without it."""
        return _frame(columns(self.samples, self.names))

    def _repr_html_(self) -> str:
        """Show what was found, and the most memorized samples, in a notebook."""
        return formats.samples_fragment(self)


@dataclass(frozen=True, slots=True)
class LocateReport(records.LocateReport):
    """Where a network memorizes; see `onnxmem.records.LocateReport` for the fields."""

    @classmethod
    def of(cls, record: records.LocateReport) -> Self:
        """Return a record with the methods of this class."""
        return cls(**_fields(record))

    def to_json(self, path: str | Path | None = None) -> str:
        """Return the report as JSON text, and write it to `path` where one is given."""
        return _written(str(formats.render_locate(self, "json")), path)

    def to_html(self, path: str | Path | None = None) -> str:
        """Return a page with charts and tables, and write it to `path` where one is given."""
        return _written(str(formats.render_locate(self, "html")), path)

    def to_svg(self, path: str | Path | None = None) -> str:
        """Return the charts as one SVG picture, and write it to `path` where one is given."""
        picture = formats.render_locate(self, "svg")
        assert isinstance(picture, bytes)
        return _written(picture.decode(), path)

    def _repr_svg_(self) -> str:
        """Show the charts in a notebook."""
        return self.to_svg()


@dataclass(frozen=True, slots=True)
class TrackReport(records.TrackReport):
    """A course of training; see `onnxmem.records.TrackReport` for the fields."""

    @classmethod
    def of(cls, record: records.TrackReport) -> Self:
        """Return a record with the methods of this class."""
        return cls(**_fields(record))

    def to_json(self, path: str | Path | None = None) -> str:
        """Return the report as JSON text, and write it to `path` where one is given."""
        return _written(str(formats.render_track(self, "json")), path)

    def to_html(self, path: str | Path | None = None) -> str:
        """Return a page with charts of the course, and write it to `path` where one is given."""
        return _written(str(formats.render_track(self, "html")), path)

    def to_csv(self, path: str | Path | None = None) -> str:
        """Return all samples as CSV, a row each, and write it to `path` where one is given."""
        return _written(str(formats.render_track(self, "csv")), path)

    def to_frame(self) -> Any:
        """Return all samples, a row each: a pandas DataFrame, a dictionary of arrays without it."""
        return _frame(track_columns(self))
