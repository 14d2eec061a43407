"""Results as Python hands them out: the records, and what writes and shows them.

The records themselves know no format. These classes add nothing but methods, so that one is taken
wherever its record is. `repr` is one line, `str` says what was found.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

from onnxmem import inspecting, records
from onnxmem import report as formats
from onnxmem.api import frames
from onnxmem.findings import locate_findings
from onnxmem.findings.track import track_findings
from onnxmem.report.locate.rows import chart_rows
from onnxmem.report.samples.rows import columns
from onnxmem.report.survey.words import sentence as survey_sentence
from onnxmem.report.track.csv import columns as track_columns
from onnxmem.text import file_name


def _fields(record: Any) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in fields(record)}


def _written(text: str, path: str | Path | None) -> str:
    if path is not None:
        formats.write(text, path)
    return text


def _short(record: object, *said: str) -> str:
    return f"<onnxmem.{type(record).__name__} {', '.join(filter(None, said))}>"


def _memorized(network: records.NetworkEvidence | None) -> str:
    return "" if network is None else f"memorized_share={network.memorized_share.value:.3f}"


@dataclass(frozen=True, slots=True, repr=False)
class Report(records.Report):
    """What one audit measured; see `onnxmem.records.Report` for the fields."""

    @classmethod
    def of(cls, record: records.Report) -> Self:
        """Return a record with the methods of this class."""
        return cls(**_fields(record))

    def __repr__(self) -> str:
        """Return model, verdict and the first numbers in one line."""
        means = [
            f"{key}={score.auc:.3f}" for key, score in self.summary.items() if score.auc is not None
        ]
        evidence = _memorized(self.evidence.network) if self.evidence is not None else ""
        name = file_name(self.model.path)
        return _short(self, f"{name!r}", f"verdict={self.verdict!r}", *means[:2], evidence)

    def __str__(self) -> str:
        """Return what was measured and what came of it, in one sentence."""
        return formats.sentence(self)

    def to_json(self, path: str | Path | None = None) -> str:
        """Return the report as JSON text, and write it to `path` where one is given."""
        return _written(formats.render(self, "json"), path)

    def to_html(self, path: str | Path | None = None) -> str:
        """Return the report as a self-contained page, and write it to `path` where one is given."""
        return _written(formats.render(self, "html"), path)

    def to_markdown(self, path: str | Path | None = None) -> str:
        """Return the report as Markdown, and write it to `path` where one is given."""
        return _written(formats.render(self, "markdown"), path)

    def to_frame(self) -> Any:
        """Return a row for each curve: a pandas DataFrame, a dictionary of arrays without it."""
        return frames.frame(frames.report_columns(self))

    def plot(self) -> Any:
        """Return the charts as an Altair object."""
        return formats.plot(self)

    def _repr_html_(self) -> str:
        """Show the report as a table in a notebook."""
        return formats.render(self, "notebook")


@dataclass(frozen=True, slots=True, repr=False)
class Comparison(records.Comparison):
    """Several reports side by side; see `onnxmem.records.Comparison` for the fields."""

    @classmethod
    def of(cls, record: records.Comparison) -> Self:
        """Return a record with the methods of this class."""
        return cls(**_fields(record))

    def __repr__(self) -> str:
        """Return the models in one line."""
        more = len(self.models) - 4
        return _short(self, *map(repr, self.models[:4]), f"and {more} more" if more > 0 else "")

    def __str__(self) -> str:
        """Return how the models stand to the first one, a line for each score and model."""
        return formats.comparison_sentences(self)

    def to_json(self, path: str | Path | None = None) -> str:
        """Return the comparison as JSON text, and write it to `path` where one is given."""
        return _written(formats.render_comparison(self, "json"), path)

    def to_html(self, path: str | Path | None = None) -> str:
        """Return the comparison as a page, and write it to `path` where one is given."""
        return _written(formats.render_comparison(self, "html"), path)

    def to_markdown(self, path: str | Path | None = None) -> str:
        """Return the comparison as Markdown, and write it to `path` where one is given."""
        return _written(formats.render_comparison(self, "markdown"), path)

    def to_frame(self) -> Any:
        """Return a row for each layer, score and model: a DataFrame, or a dictionary of arrays.

        Layer 0 holds the means over the layers.
        """
        return frames.frame(frames.comparison_columns(self))

    def plot(self) -> Any:
        """Return the charts as an Altair object."""
        return formats.plot(self)

    def _repr_html_(self) -> str:
        """Show what the comparison says, and its scores, in a notebook."""
        return formats.render_comparison(self, "notebook")


@dataclass(frozen=True, slots=True, repr=False)
class SamplesReport(records.SamplesReport):
    """Which samples a network memorized; see `onnxmem.records.SamplesReport` for the fields."""

    @classmethod
    def of(cls, record: records.SamplesReport) -> Self:
        """Return a record with the methods of this class."""
        return cls(**_fields(record))

    def __repr__(self) -> str:
        """Return model and numbers in one line."""
        name, count = file_name(self.model.path), f"{len(self.samples)} samples"
        return _short(self, f"{name!r}", count, _memorized(self.network))

    def __str__(self) -> str:
        """Return what was found in one sentence."""
        return formats.samples_sentence(self)

    def to_json(self, path: str | Path | None = None) -> str:
        """Return the report as JSON text, and write it to `path` where one is given."""
        return _written(str(formats.render_samples(self, "json")), path)

    def to_html(self, path: str | Path | None = None) -> str:
        """Return a page with pictures of samples, and write it to `path` where one is given."""
        return _written(str(formats.render_samples(self, "html")), path)

    def to_csv(self, path: str | Path | None = None) -> str:
        """Return all samples as CSV, a row each, and write it to `path` where one is given."""
        return _written(str(formats.render_samples(self, "csv")), path)

    def to_markdown(self, path: str | Path | None = None) -> str:
        """Return the report as Markdown, and write it to `path` where one is given."""
        return _written(str(formats.render_samples(self, "markdown")), path)

    def to_frame(self) -> Any:
        """Return all samples, a row each: a pandas DataFrame, a dictionary of arrays without it."""
        return frames.frame(columns(self.samples, self.names))

    def plot(self) -> Any:
        """Return where labels and neighbours come to agree, as an Altair object."""
        return formats.plot(self)

    def _repr_html_(self) -> str:
        """Show what was found, and the most memorized samples, in a notebook."""
        return formats.samples_fragment(self)


@dataclass(frozen=True, slots=True, repr=False)
class Inspection(inspecting.Inspection):
    """A model and its sites; see `onnxmem.inspecting.Inspection` for the fields."""

    @classmethod
    def of(cls, record: inspecting.Inspection) -> Self:
        """Return a record with the methods of this class."""
        return cls(**_fields(record))

    def __repr__(self) -> str:
        """Return model and number of sites in one line."""
        good = sum(site.status == "ok" for site in self.sites)
        name, count = file_name(self.model.path), f"{good} of {len(self.sites)} sites can be cut"
        return _short(self, f"{name!r}", count)

    def __str__(self) -> str:
        """Return what was found in one line."""
        return f"{file_name(self.model.path)}: {self.verdict}" if self.sites else self.verdict

    def to_json(self, path: str | Path | None = None) -> str:
        """Return the inspection as JSON text, and write it to `path` where one is given."""
        return _written(inspecting.Inspection.to_json(self), path)

    def to_markdown(self, path: str | Path | None = None) -> str:
        """Return the sites as Markdown, and write it to `path` where one is given."""
        from onnxmem.report import sites

        name = file_name(self.model.path)
        return _written(sites.markdown(name, str(self), frames.inspection_columns(self)), path)

    def to_frame(self) -> Any:
        """Return a row for each site: a pandas DataFrame, or a dictionary of arrays."""
        return frames.frame(frames.inspection_columns(self))

    def plot(self) -> Any:
        """Return a bar for each site, its features, as an Altair object."""
        from onnxmem.report import plots

        return plots.sites(str(self), frames.inspection_columns(self))

    def _repr_html_(self) -> str:
        """Show the sites as a table in a notebook."""
        from onnxmem.report import sites

        return sites.fragment(str(self), frames.inspection_columns(self))


@dataclass(frozen=True, slots=True, repr=False)
class LocateReport(records.LocateReport):
    """Where a network memorizes; see `onnxmem.records.LocateReport` for the fields."""

    @classmethod
    def of(cls, record: records.LocateReport) -> Self:
        """Return a record with the methods of this class."""
        return cls(**_fields(record))

    def __repr__(self) -> str:
        """Return the model in one line."""
        return _short(self, f"{file_name(self.model.path)!r}")

    def __str__(self) -> str:
        """Return what was found, a sentence a line."""
        found = [one.sentence for one in locate_findings(self)] or [self.reason]
        return "\n".join(f"{one[:1].upper()}{one[1:]}." for one in found)

    def to_markdown(self, path: str | Path | None = None) -> str:
        """Return the report as Markdown, and write it to `path` where one is given."""
        return _written(str(formats.render_locate(self, "markdown")), path)

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

    def to_frame(self) -> Any:
        """Return a row for each value: of which part, layer and group of samples it is."""
        return frames.frame(frames.locate_columns(chart_rows(self)))

    def plot(self) -> Any:
        """Return the charts, side by side, as an Altair object."""
        return formats.plot(self)

    def _repr_html_(self) -> str:
        """Show what was found, and every value, in a notebook."""
        from onnxmem.report.locate import page

        return page.fragment(self)


@dataclass(frozen=True, slots=True, repr=False)
class TrackReport(records.TrackReport):
    """A course of training; see `onnxmem.records.TrackReport` for the fields."""

    @classmethod
    def of(cls, record: records.TrackReport) -> Self:
        """Return a record with the methods of this class."""
        return cls(**_fields(record))

    def __repr__(self) -> str:
        """Return how many checkpoints there are, and the one to keep, in one line."""
        chosen = "" if self.chosen is None else f"chosen={file_name(self.chosen)!r}"
        return _short(self, f"{len(self.checkpoints)} checkpoints", chosen)

    def __str__(self) -> str:
        """Return what was found, a sentence a line."""
        found = [one.sentence for one in track_findings(self)]
        return "\n".join(f"{one[:1].upper()}{one[1:]}." for one in found)

    def to_markdown(self, path: str | Path | None = None) -> str:
        """Return the report as Markdown, and write it to `path` where one is given."""
        return _written(str(formats.render_track(self, "markdown")), path)

    def to_svg(self, path: str | Path | None = None) -> str:
        """Return the charts as one SVG picture, and write it to `path` where one is given."""
        picture = formats.render_track(self, "svg")
        assert isinstance(picture, bytes)
        return _written(picture.decode(), path)

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
        return frames.frame(track_columns(self))

    def plot(self) -> Any:
        """Return the charts of the course as an Altair object."""
        return formats.plot(self)

    def _repr_html_(self) -> str:
        """Show what was found, and the checkpoints, in a notebook."""
        from onnxmem.report.track import page

        return page.fragment(self)


@dataclass(frozen=True, slots=True, repr=False)
class SurveyReport(records.SurveyReport):
    """Many models; see `onnxmem.records.SurveyReport` for the fields."""

    @classmethod
    def of(cls, record: records.SurveyReport) -> Self:
        """Return a record with the methods of this class."""
        return cls(**_fields(record))

    def __repr__(self) -> str:
        """Return how many models there are, and the worst exit code."""
        return _short(self, f"models={len(self.models)}", f"exit_code={self.exit_code}")

    def __str__(self) -> str:
        """Return how many models there are of each state, in one sentence."""
        return survey_sentence(self)

    def to_json(self, path: str | Path | None = None) -> str:
        """Return the survey as JSON text, and write it to `path` where one is given."""
        return _written(formats.render_survey(self, "json"), path)

    def to_html(self, path: str | Path | None = None) -> str:
        """Return the page over all models, and write it to `path` where one is given."""
        return _written(formats.render_survey(self, "html"), path)

    def to_markdown(self, path: str | Path | None = None) -> str:
        """Return the models as Markdown, and write it to `path` where one is given."""
        from onnxmem.report.survey import shown

        return _written(shown.markdown(self), path)

    def to_frame(self) -> Any:
        """Return a row for each model: a pandas DataFrame, a dictionary of arrays without it."""
        return frames.frame(frames.survey_columns(self))

    def plot(self) -> Any:
        """Return the memorized share of each model as an Altair object."""
        return formats.plot(self)

    def _repr_html_(self) -> str:
        """Show the models as a table in a notebook."""
        from onnxmem.report.survey import shown

        return shown.fragment(self)
