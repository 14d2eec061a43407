"""Every error that onnxmem raises on purpose, and the exit code that each one owns.

    OnnxmemError
    ├── UsageError                 2   the caller asked for something that cannot be
    │   ├── ModelFileError         2   no such model, or the file is not ONNX
    │   ├── DataError              2   the data cannot be read or do not fit the model
    │   ├── OutputError            2   a result cannot be written where it should go
    │   ├── ConfigError            2   a configuration file is wrong
    │   └── FactorizationError     2   a matrix or a rank that no factorization takes
    ├── InconclusiveError          3   measured, but nothing can be concluded
    │   ├── ScoresError            3   a sample has no largest score
    │   ├── NoSiteError            3   the model has no activation that can be analyzed
    │   └── NoGradientError        3   an operator on the way has no gradient
    └── EnvironmentFailedError     4   the environment failed
        ├── DeviceError            4   the device that was asked for cannot be used
        ├── ModelRefusedError      4   onnxruntime does not take the model
        └── OutOfMemoryError       4   the memory budget cannot hold one batch

A message is one line: what is wrong, where, and what to do about it.
"""

from __future__ import annotations

from typing import ClassVar


class OnnxmemError(Exception):
    """Base of all errors of this package; `exit_code` is what the command line returns."""

    exit_code: ClassVar[int] = 4

    def __str__(self) -> str:
        """Return the message as one line, whatever text of others it quotes."""
        return " ".join(super().__str__().split())


class UsageError(OnnxmemError, ValueError):
    """The caller asked for something that cannot be."""

    exit_code = 2


class ModelFileError(UsageError):
    """There is no such model, or the file is not ONNX."""


class DataError(UsageError):
    """The data cannot be read, or they do not fit the model."""


class OutputError(UsageError, OSError):
    """A result cannot be written where it should go."""


class ConfigError(UsageError):
    """A configuration file has an unknown key or a value of the wrong type."""


class FactorizationError(UsageError):
    """A matrix or a rank that no factorization takes."""


class InconclusiveError(OnnxmemError):
    """Everything ran, but the result allows no conclusion."""

    exit_code = 3


class ScoresError(InconclusiveError):
    """A sample has no largest score."""


class NoSiteError(InconclusiveError):
    """The model has no activation that can be analyzed."""


class NoGradientError(InconclusiveError):
    """Between an output and the tensors of interest stands an operator without a gradient."""


class EnvironmentFailedError(OnnxmemError, RuntimeError):
    """The request is fine, but what should carry it out is missing or broken."""


class DeviceError(EnvironmentFailedError):
    """The device that was asked for cannot be used."""


class ModelRefusedError(EnvironmentFailedError):
    """onnxruntime does not take the model, or fails while running it."""


class OutOfMemoryError(EnvironmentFailedError, MemoryError):
    """The memory budget cannot hold a single batch."""
