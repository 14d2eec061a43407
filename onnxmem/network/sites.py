"""Which tensors of a model are analyzed, and what to say where there are none."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence

from onnxmem import graph
from onnxmem.errors import NoSiteError, UsageError
from onnxmem.hazards import see
from onnxmem.text import listed

SIGNED = frozenset(
    {"GELU", "SiLU", "HardSwish", "Mish", "ELU", "SELU", "CELU", "Tanh", "LeakyReLU", "PReLU",
     "Softsign", "LSTM", "GRU"}
)  # fmt: skip
"""Activations that go below zero."""


def choose_sites(
    model: graph.Model, patterns: Sequence[str], kinds: Sequence[str] = ("relu",)
) -> tuple[graph.Site, ...]:
    """Return the sites of `model` whose tensor matches one of `patterns` (none: all).

    Args:
        model: the model.
        patterns: globs of tensor names.
        kinds: kinds of activations, see `onnxmem.graph.find_sites`.

    Raises:
        NoSiteError: the model has no such activation; the message names those that it has.
        UsageError: a pattern matches nothing.
    """
    sites = graph.find_sites(model, kinds)
    if not sites:
        raise NoSiteError(f"{model.path} {nothing_found(model, kinds)}")
    for pattern in patterns:
        if not any(_matches(site, pattern) for site in sites):
            names = listed([site.tensor for site in sites], most=8)
            raise UsageError(f"no layer matches {pattern!r}; there are {names}")
    return tuple(
        site
        for site in sites
        if not patterns or any(_matches(site, pattern) for pattern in patterns)
    )


def _matches(site: graph.Site, pattern: str) -> bool:
    return pattern == site.tensor or fnmatch.fnmatchcase(site.tensor, pattern)


def nothing_found(model: graph.Model, kinds: Sequence[str]) -> str:
    """Return the rest of a sentence that begins with a model's name: it has none of `kinds`.

    It names the activations that are there, why they do not serve, and the kinds that would.
    """
    others = dict(graph.other_activations(model))
    sought = " or ".join("ReLU" if kind == "relu" else kind for kind in kinds)
    have = ", ".join(f"{name} ({count})" for name, count in others.items())
    return (
        f"has no {sought} to analyze; the activations that are there: "
        f"{have or 'none that is known'}{_why_not(others)}{_hint(model, kinds)}"
        f"{see('look-alikes')}"
    )


def _why_not(others: Mapping[str, int]) -> str:
    signed = [name for name in others if name in SIGNED]
    if not signed:
        return ""
    verb = "goes" if len(signed) == 1 else "go"
    return f"; {', '.join(signed)} {verb} below zero, which no non-negative factorization holds"


def _hint(model: graph.Model, kinds: Sequence[str]) -> str:
    counts = {
        kind: sum(site.status == "ok" for site in graph.find_sites(model, (kind,)))
        for kind in graph.KINDS
        if kind not in kinds
    }
    found = {kind: count for kind, count in counts.items() if count}
    if not found:
        return ""
    return f"; --kind {','.join(found)} takes {sum(found.values())} others"
