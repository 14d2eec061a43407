"""Streams, graphs and the device of a CUDA that needs no GPU.

Everything is done at once. While a stream captures, launches are recorded, and all that would
multiply, allocate or wait is refused.
"""

from __future__ import annotations

from typing import Any, ClassVar


class CUDARuntimeError(RuntimeError):
    """What CUDA complains about."""


class Stream:
    """A stream on which everything is done at once, or recorded."""

    entered: ClassVar[list[Stream]] = []

    def __init__(self, null: bool = False, non_blocking: bool = False) -> None:
        self.ptr = 0 if null else id(self)
        self.recorded: list[Any] | None = None

    def __enter__(self) -> Stream:
        self.entered.append(self)
        return self

    def __exit__(self, *_: Any) -> None:
        self.entered.pop()

    def begin_capture(self) -> None:
        if self.ptr == 0:
            raise RuntimeError("cannot capture on the default (legacy) stream")
        self.recorded = []

    def end_capture(self) -> Graph:
        if self.recorded is None:
            raise CUDARuntimeError("cudaErrorIllegalState")
        launches, self.recorded = self.recorded, None
        return Graph(launches)


NULL = Stream(null=True)


class Graph:
    """Launches that were recorded."""

    def __init__(self, launches: list[Any]) -> None:
        self.launches = launches

    def launch(self) -> None:
        refuse_while_capturing("cudaErrorStreamCaptureUnsupported")
        for one in self.launches:
            one()


class Device:
    """The only device."""

    mem_info = (1 << 34, 1 << 35)

    def __init__(self, device: int = 0) -> None:
        if device != 0:
            raise CUDARuntimeError("cudaErrorInvalidDevice")
        self.id = device

    def __enter__(self) -> Device:
        return self

    def __exit__(self, *_: Any) -> None:
        pass


def current_stream() -> Stream:
    return Stream.entered[-1] if Stream.entered else NULL


def refuse_while_capturing(what: str) -> None:
    if current_stream().recorded is not None:
        raise NotImplementedError(f"{what} during stream capture is unsupported")
