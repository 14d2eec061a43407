"""Which tensors of a model are analyzed, and what to say where there are none."""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Sequence

from onnxmem import graph
from onnxmem.errors import NoSiteError, UsageError
from onnxmem.hazards import see
from onnxmem.text import listed


def choose_sites(
    model: graph.Model, patterns: Sequence[str], kinds: Sequence[str] = (graph.AUTO,)
) -> tuple[graph.Site, ...]:
    """Return the sites of `model` whose tensor matches one of `patterns` (none: all).

    Args:
        model: the model.
        patterns: globs of tensor names.
        kinds: kinds of activations and groups of them, see `onnxmem.graph.find_sites`.

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


def kinds_of(sites: Sequence[graph.Site], kinds: Sequence[str]) -> tuple[str, ...]:
    """Return `kinds` with the kinds of `sites` in place of the groups that stand for several."""
    if all(kind in graph.KINDS for kind in kinds) or not sites:
        return tuple(kinds)
    named = [kind for kind in kinds if kind in graph.KINDS]
    found = {site.kind for site in sites}
    return tuple(dict.fromkeys((*named, *(kind for kind in graph.KINDS if kind in found))))


def told(sites: Sequence[graph.Site], kinds: Sequence[str]) -> tuple[str, ...]:
    """Return a note on what is analyzed in place of the ReLUs that a model has not."""
    if tuple(kinds) != (graph.AUTO,) or not sites or any(site.kind == "relu" for site in sites):
        return ()
    counts = Counter(graph.KINDS[site.kind].title for site in sites)
    if "block" in {site.kind for site in sites}:
        return (f"no activation function; analyzed are the outputs of {len(sites)} blocks",)
    return (f"no ReLU; analyzed are {_counted(counts)}",)


def _counted(counts: dict[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{count} {name}" for name, count in ordered)


def nothing_found(model: graph.Model, kinds: Sequence[str]) -> str:
    """Return the rest of a sentence that begins with a model's name: it has none of `kinds`.

    It names the activations that are there, and the kinds that would find them.
    """
    others = ", ".join(f"{name} ({count})" for name, count in graph.other_activations(model))
    sought = " or ".join(map(_title, kinds))
    return (
        f"has no {sought} to analyze; the activations that are there: "
        f"{others or 'none that is known'}{_hint(model, kinds)}{see('look-alikes')}"
    )


def _title(kind: str) -> str:
    """Return what a kind, or a group of kinds, is called after "no"."""
    if kind in graph.KINDS:
        return "ReLU" if kind == "relu" else kind
    return "activation" if kind in (graph.AUTO, "any") else f"{kind} activation"


def _hint(model: graph.Model, kinds: Sequence[str]) -> str:
    """Return which other kinds there are to be asked for."""
    good = [site for site in graph.find_sites(model, tuple(graph.KINDS)) if site.status == "ok"]
    found = {site.kind for site in good}
    names = [kind for kind in graph.KINDS if kind in found - {"block"} and kind not in kinds]
    count = sum(site.kind in names for site in good)
    return f"; --kind {','.join(names)} takes {count} others" if names else ""
