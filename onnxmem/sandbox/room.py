"""What a process may take and touch, and what of that is in force in this one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onnxmem.sandbox.landlock import restrict
from onnxmem.sandbox.limits import data_limit, set_limits
from onnxmem.sandbox.places import rules

NOT_ASKED = "it was not asked for"


@dataclass(frozen=True, slots=True)
class Room:
    """What a process may take and touch.

    Attributes:
        reads: files and folders that it reads, besides those of Python and of the system.
        writes: folders that it writes in, besides its caches.
        data: bytes of data that it may hold; None: what is free.
        seconds: that it may take by the wall clock, None for as long as it likes.
        confined: whether any of this but the seconds is enforced.
    """

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    data: int | None = None
    seconds: float | None = None
    confined: bool = True


_now: dict[str, Any] = {"limits": [], "landlock": 0, "reason": NOT_ASKED}


def enter(room: Room) -> None:
    """Confine this process for good; call it while there is one thread alone."""
    if not room.confined:
        switched_off("--no-sandbox")
        return
    found = restrict(rules(room.reads, room.writes))
    data = data_limit(None) if room.data is None else room.data
    limits = set_limits(data, room.seconds)
    _now.update(limits=sorted(limits), landlock=found.abi, reason=found.reason)


def is_confined() -> bool:
    """Tell whether this process has entered a room."""
    return bool(_now["limits"] or _now["landlock"])


def switched_off(reason: str) -> None:
    """Note why nothing is in force."""
    _now.update(limits=[], landlock=0, reason=reason)


def noted(environment: Mapping[str, Any]) -> dict[str, Any]:
    """Return the environment of a report, with what is in force beside it."""
    return {**environment, "sandbox": told()}


def told() -> dict[str, Any]:
    """Return what is in force, for a report: the same on every run with the same options.

    `limits` names those of the system ("core", "cpu", "data"), `landlock` is the ABI of Linux's
    rules, 0 where there are none, and `reason` says why.
    """
    return {**_now, "limits": list(_now["limits"])}
