"""Vega-Lite charts as plain data: what the charts here need of its grammar, and nothing to import.

A chart is a specification that is added to, each time as a new one. Channels, scales, axes and the
like are dictionaries; names are those of Vega-Lite (https://vega.github.io/vega-lite/docs/).
Parameters of parts stand with the whole, where all parts see them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

Spec = dict[str, Any]

_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_TYPES = {"Q": "quantitative", "N": "nominal", "O": "ordinal"}
_SECONDARY = ("x2", "y2")
"""Channels that take their type from another one."""


def channel(shorthand: str, **options: Any) -> Spec:
    """Return a channel that shows a field: its name, a colon, and Q, N or O."""
    name, _, kind = shorthand.partition(":")
    return {"field": name, **({"type": _TYPES[kind]} if kind else {}), **options}


def value(constant: Any) -> Spec:
    """Return a channel that is the same everywhere, in pixels or as a colour."""
    return {"value": constant}


def datum(constant: Any) -> Spec:
    """Return a channel that is the same everywhere, in units of its scale."""
    return {"datum": constant}


def condition(test: str, then: Mapping[str, Any], otherwise: Mapping[str, Any]) -> Spec:
    """Return a channel that is one constant where an expression holds, and another elsewhere."""
    return {"condition": {"test": test, **then}, **otherwise}


def equal(name: str, constant: Any) -> str:
    """Return an expression that holds where a field has a value."""
    return f"(datum.{name} === {json.dumps(constant)})"


def named(name: str) -> Spec:
    """Return data that come later, under a name."""
    return {"name": name}


def inline(rows: Sequence[Mapping[str, Any]]) -> Spec:
    """Return data that lie in the chart."""
    return {"values": list(rows)}


def parameter(name: str, constant: Any) -> Spec:
    """Return a variable that expressions may use."""
    return {"name": name, "value": constant}


def options(**given: Any) -> Spec:
    """Return a scale, an axis, a legend, a header or a title."""
    return given


scale = axis = legend = header = overlay = options


def title(text: str, **given: Any) -> Spec:
    """Return a title with what belongs to it."""
    return {"text": text, **given}


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, or several in one.

    Attributes:
        spec: its specification, without what only the whole has.
        params: variables, for the whole.
    """

    spec: Spec = field(default_factory=dict)
    params: tuple[Spec, ...] = ()

    @classmethod
    def of(cls, data: Mapping[str, Any] | None = None) -> Self:
        """Return a chart without marks, of data unless the whole gives them."""
        return cls({} if data is None else {"data": dict(data)})

    def _with(self, **changed: Any) -> Self:
        return type(self)({**self.spec, **changed}, self.params)

    def mark(self, kind: str, **given: Any) -> Self:
        """Draw marks: line, point, bar, rule, text, rect or area."""
        return self._with(mark={"type": kind, **given})

    def encode(self, **channels: Any) -> Self:
        """Set channels; those that are text are fields, see `channel`."""
        known = self.spec.get("encoding", {})
        return self._with(encoding={**known, **{n: _encoded(n, c) for n, c in channels.items()}})

    def properties(self, **given: Any) -> Self:
        """Set width, height, title, description, ..."""
        return self._with(**given)

    def transform(self, step: Mapping[str, Any]) -> Self:
        """Add a step to what is done to the data first."""
        return self._with(transform=[*self.spec.get("transform", ()), dict(step)])

    def filtered(self, test: str | Mapping[str, Any]) -> Self:
        """Keep the rows for which an expression, or a predicate, holds."""
        return self.transform({"filter": test})

    def flattened(self, *fields: str) -> Self:
        """Make a row of each value of fields that hold lists of one length."""
        return self.transform({"flatten": list(fields)})

    def add_params(self, *given: Spec) -> Self:
        """Add variables."""
        return type(self)(self.spec, (*self.params, *given))

    def independent(self, *channels: str) -> Self:
        """Give each part its own scales of some channels."""
        return self._with(resolve={"scale": dict.fromkeys(channels, "independent")})

    def facet(self, by: Spec, columns: int, data: Mapping[str, Any]) -> Self:
        """Repeat the chart for each value of a field."""
        whole = {"facet": by, "columns": columns, "data": dict(data), "spec": self.spec}
        return type(self)(whole, self.params)

    def to_dict(self) -> Spec:
        """Return the specification of the whole."""
        params = list({one["name"]: one for one in self.params}.values())
        return {"$schema": _SCHEMA, **self.spec, **({"params": params} if params else {})}


def _encoded(name: str, given: Any) -> Any:
    if isinstance(given, list):
        return [_encoded(name, one) for one in given]
    if not isinstance(given, str):
        return given
    found = channel(given)
    return {"field": found["field"]} if name in _SECONDARY else found


def _joined(how: str) -> Callable[..., Chart]:
    def join(*parts: Chart, **given: Any) -> Chart:
        params = tuple(one for part in parts for one in part.params)
        return Chart({how: [part.spec for part in parts], **given}, params)

    return join


layer, beside, below = map(_joined, ("layer", "hconcat", "vconcat"))
"""Charts on top of each other, side by side, one below the other."""
