"""How a network is opened and run: one frozen record, checked when it is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from typing import Any, get_type_hints

import msgspec

from onnxmem.errors import UsageError
from onnxmem.graph import AUTO, GROUPS, KINDS, Site


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How a network is opened and run, whatever is then asked of it.

    Attributes:
        layers: glob patterns of tensor names; empty means every site.
        kind: kinds of activations and groups of them, see `onnxmem.graph.find_sites`.
        output_name: the output that classifies, None where there is only one candidate.
        bind: values of inputs that are fixed for good.
        split: which samples, where the data name splits.
        device: auto, cpu, cuda or cuda:N.
        exact: leave out the optimizations that round.
        memory: bytes that captured tensors may take; None is half of what is free.
        seed: of every random choice.

    Raises:
        UsageError: a value that is none of these, or of another type.
    """

    layers: tuple[str, ...] = ()
    kind: tuple[str, ...] = (AUTO,)
    output_name: str | None = None
    bind: Mapping[str, Any] = field(default_factory=dict)
    split: str | None = None
    device: str = "auto"
    exact: bool = False
    memory: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        self._check_types()
        self._drop_repeated("layers", "kind")
        check_kinds(self.kind)
        if self.memory is not None and self.memory < 1:
            raise UsageError(f"--memory {self.memory}: give a number of bytes from 1 on")
        if self.seed < 0:
            raise UsageError(f"--seed {self.seed} is negative; give an integer from 0 on")

    def _check_types(self) -> None:
        for name, wanted in get_type_hints(type(self)).items():
            value = getattr(self, name)
            try:
                msgspec.convert(value, wanted)
            except msgspec.ValidationError as error:
                cause = str(error).partition(" - at ")[0]
                raise UsageError(f"{name}={value!r} has the wrong type: {cause}") from error

    def _drop_repeated(self, *names: str) -> None:
        for name in names:
            object.__setattr__(self, name, tuple(dict.fromkeys(getattr(self, name))))

    def check_sites(self, sites: Sequence[Site]) -> None:
        """Check that what is asked can be asked of `sites`.

        Raises:
            UsageError: it cannot; here it always can.
        """

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON types."""
        values = asdict(self)
        values["memory"] = "auto" if self.memory is None else self.memory
        return {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}


def check_kinds(kinds: Sequence[str]) -> None:
    """Check that all `kinds` of activations are known, and that "auto" stands alone.

    Raises:
        UsageError: there are none, or others, or others beside "auto".
    """
    check_names("kind of activation", kinds, (AUTO, *GROUPS, *KINDS))
    if AUTO in kinds and len(kinds) > 1:
        others = ",".join(kind for kind in kinds if kind != AUTO)
        raise UsageError(f"--kind {AUTO} stands alone; leave it out, or {others}")


def check_names(what: str, names: Sequence[str], known: Sequence[str]) -> None:
    """Check that there are names, and that all of them are among those `known`.

    Raises:
        UsageError: there are none, or others.
    """
    if not names:
        raise UsageError(f"no {what} chosen; choose from {', '.join(known)}")
    for name in names:
        if name not in known:
            near = get_close_matches(str(name), known, 1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise UsageError(f"unknown {what} {name!r}; {hint}choose from {', '.join(known)}")
