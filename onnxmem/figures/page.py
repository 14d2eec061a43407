"""A drawn figure as SVG, PNG or HTML."""

from __future__ import annotations

import base64
import textwrap
from pathlib import Path
from typing import Any

from markupsafe import Markup

from onnxmem._version import __version__
from onnxmem.errors import UsageError
from onnxmem.figures.figure import Drawn, Figure
from onnxmem.report import look, vega, web
from onnxmem.report.picture import draw

ENDINGS = ("svg", "png", "html")


def kind_of(path: str) -> str:
    """Return the format that the ending of a path names.

    Raises:
        UsageError: it is none of `ENDINGS`.
    """
    ending = Path(path).suffix.lower().lstrip(".")
    if path == "-":
        return "svg"
    if ending not in ENDINGS:
        raise UsageError(f"-o {path}: the ending says the format; choose .svg, .png or .html")
    return ending


def render(figure: Figure, drawn: Drawn, kind: str) -> bytes:
    """Return the figure in a format of `ENDINGS`."""
    if kind != "html":
        return draw(_spec(figure, drawn), kind)
    style = web.source("page.css")
    picture = base64.b64encode(draw(_spec(figure, drawn, bare=True), "svg")).decode("ascii")
    page = (
        web.environment()
        .get_template("figure.html")
        .render(
            figure=figure,
            drawn=drawn,
            version=__version__,
            picture=picture,
            policy=web.policy([], style),
            style=Markup(style),
        )
    )
    return page.encode("utf-8")


def _spec(figure: Figure, drawn: Drawn, *, bare: bool = False) -> dict[str, Any]:
    said = (f"The paper: {figure.claim}", f"Here it {drawn.verdict}: {drawn.found}", figure.made)
    heading = vega.title(
        f"{figure.name}: {figure.title}",
        subtitle=[] if bare else [line for one in said for line in textwrap.wrap(one, 125)],
        subtitlePadding=6,
        offset=14,
    )
    spec: dict[str, Any] = vega.below(drawn.chart, title=heading).to_dict()
    spec["config"] = look.config("#1c2430") | {"background": "white"}
    spec["padding"] = 20
    return spec
