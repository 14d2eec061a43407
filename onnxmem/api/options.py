"""The settings of an audit as keyword arguments, and what they make."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, TypedDict

from onnxmem.api.taking import (
    plain,
    take_bind,
    take_limits,
    take_ranks,
    take_waivers,
    take_words,
)
from onnxmem.auditing import Settings
from onnxmem.network.features import Pool
from onnxmem.records import Batch, Compressor, Metric, Waiver


class AuditOptions(TypedDict, total=False):
    """What `onnxmem.audit` takes besides model and samples; its docstring tells each of them."""

    layers: Sequence[str]
    kind: Sequence[str]
    compress: Sequence[Compressor]
    batch: Sequence[Batch]
    per_class: int
    ranks: Sequence[int] | Literal["auto"]
    metric: Metric | None
    output_name: str | None
    bind: Mapping[str, Any] | None
    split: str | None
    device: str
    exact: bool
    memory: int | None
    seed: int
    fail_under: Mapping[str, float] | None
    fail_over: Mapping[str, float] | None
    classes: int | None
    samples: bool
    pool: Pool
    min_accuracy: float | None
    waivers: Sequence[Mapping[str, str] | Waiver]


_WORDS = ("kind", "compress", "batch")
_LIMITS = ("fail_under", "fail_over")
_TAKE: dict[str, Callable[[Any], Any]] = {
    **{name: partial(take_words, name) for name in _WORDS},
    **{name: partial(take_limits, name) for name in _LIMITS},
    "layers": partial(take_words, "layers", separator=None),
    "ranks": take_ranks,
    "bind": take_bind,
    "waivers": take_waivers,
}


def take_settings(options: AuditOptions) -> Settings:
    """Return the settings that keyword arguments make.

    Raises:
        UsageError: a value is not one that the setting takes.
        TypeError: there is no such setting.
    """
    return Settings(**{name: _TAKE.get(name, plain)(value) for name, value in options.items()})
