"""What `onnxmem survey` finds of many models: a row for each, and what failed and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import msgspec

from onnxmem.errors import DataError
from onnxmem.records.evidence import Estimate, LabelNoise
from onnxmem.records.report import Baseline, Gate, Report, Score, Tool, Verdict

SURVEY_SCHEMA = "onnxmem.survey/1"


@dataclass(frozen=True, slots=True)
class SurveyedModel:
    """One model of a survey.

    Attributes:
        name: what its files are called; no other model of the survey is called so.
        path, data: as the manifest has them.
        exit_code: of its audit, as the contract of the command line has them; None where it was
            not audited yet.
        verdict: of its report, None where it has none.
        reason: why it failed, or nothing can be concluded; empty where all is well.
        report, page: its files beside that of the survey; empty where it has none.
        sha256: of the model, empty without a report.
        baseline: accuracy of the untouched model.
        memorized_share, strong_share, label_noise: see `NetworkEvidence`.
        summary: the scores, by their key.
        gates: the thresholds that were set, and `waived` the keys of those that a waiver forgives.
    """

    name: str
    path: str
    data: str
    exit_code: int | None = None
    verdict: Verdict | None = None
    reason: str = ""
    report: str = ""
    page: str = ""
    sha256: str = ""
    baseline: Baseline | None = None
    memorized_share: Estimate | None = None
    strong_share: Estimate | None = None
    label_noise: LabelNoise | None = None
    summary: dict[str, Score] = field(default_factory=dict)
    gates: tuple[Gate, ...] = ()
    waived: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """The verdict; `failed` where there is no report, `waiting` where it was not audited."""
        if self.exit_code is None:
            return "waiting"
        return self.verdict or "failed"

    @classmethod
    def of(cls, name: str, path: str, data: str, exit_code: int, report: Report) -> SurveyedModel:
        """Return the row of a model that has a report."""
        network = report.evidence.network if report.evidence else None
        return cls(
            name=name,
            path=path,
            data=data,
            exit_code=exit_code,
            verdict=report.verdict,
            reason=report.reason,
            report=f"{name}.json",
            page=f"{name}.html",
            sha256=report.model.sha256,
            baseline=report.baseline,
            memorized_share=network.memorized_share if network else None,
            strong_share=network.strong_share if network else None,
            label_noise=network.label_noise if network else None,
            summary=report.summary,
            gates=report.gates,
            waived=tuple(sorted(report.waived)),
        )


@dataclass(frozen=True, slots=True)
class SurveyReport:
    """Many models, in the order of the manifest.

    `settings` holds what the command line said for all of them. `timings` holds the seconds that
    each model took when it was audited, by its name, and alone may vary.
    """

    schema: str
    tool: Tool
    settings: dict[str, Any]
    models: tuple[SurveyedModel, ...]
    timings: dict[str, float] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """The highest code of all models that were audited; 0 without any."""
        return max((one.exit_code for one in self.models if one.exit_code is not None), default=0)

    @property
    def states(self) -> Counter[str]:
        """How many models there are of each state."""
        return Counter(one.state for one in self.models)

    def to_dict(self) -> dict[str, Any]:
        """Return the survey as JSON types: dictionaries, lists, strings, numbers and None."""
        plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self))
        return plain

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> SurveyReport:
        """Return the survey that `to_dict` turned into `values`.

        Raises:
            DataError: a field is missing or has the wrong type; the message says which.
        """
        try:
            return msgspec.convert(values, cls)
        except msgspec.ValidationError as error:
            raise DataError(f"this is no {SURVEY_SCHEMA} report: {error}") from error
