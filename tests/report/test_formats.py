"""The registry: every format is written, by one name, always the same way."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
import report_samples

from onnxmem.errors import UsageError
from onnxmem.records import Report
from onnxmem.report import Format, render

FORMATS = [one for one in Format if one is not Format.ATTESTATION]
"""Those that take every report; an attestation needs a gate, and a model that it is bound to."""


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_renders_every_report(name: Format, any_report: Report) -> None:
    assert render(any_report, name).strip()


@pytest.mark.parametrize("name", list(Format))
def test_rendering_twice_gives_the_same_text(name: Format) -> None:
    assert render(report_samples.passing(), name) == render(report_samples.passing(), name)


@pytest.mark.parametrize("name", FORMATS)
def test_text_is_plain_utf8_without_control_characters(name: Format) -> None:
    text = render(report_samples.hostile(), name)
    text.encode("utf-8")
    if name is not Format.HTML:
        assert not [c for c in text if ord(c) < 32 and c not in "\n\t"]


@pytest.mark.parametrize("name", ["pdf", "", "JSON", "\x1b[31m"])
def test_an_unknown_format_names_those_there_are(name: str) -> None:
    with pytest.raises(UsageError, match="json, html, markdown, junit, sarif, notebook") as caught:
        render(report_samples.passing(), name)
    assert "\x1b" not in str(caught.value)


def test_json_does_not_wait_for_the_chart_library() -> None:
    script = (
        "import sys, onnxmem.report; from onnxmem.report import junit, markdown, sarif;"
        "print([m for m in ('altair', 'jinja2', 'vl_convert') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", FORMATS)
def test_gates_are_not_rounded(name: Format) -> None:
    text = render(report_samples.failing(), name)
    assert "0.49996" in text.split("Gates")[-1]


@pytest.mark.parametrize("name", FORMATS)
def test_names_of_others_are_short_and_harmless(name: Format) -> None:
    text = render(report_samples.hostile(), name)
    assert not re.search("[\x1b\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]", text)
    assert name is Format.JSON or "x" * 500 not in text
