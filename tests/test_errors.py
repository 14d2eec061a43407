"""Every error owns an exit code and is one line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from onnxmem import errors


def below(kind: type[errors.OnnxmemError]) -> Iterator[type[errors.OnnxmemError]]:
    for child in kind.__subclasses__():
        yield child
        yield from below(child)


OURS = [kind for kind in below(errors.OnnxmemError) if kind.__module__ == errors.__name__]


@pytest.mark.parametrize(
    ("base", "code"),
    [
        (errors.UsageError, 2),
        (errors.InconclusiveError, 3),
        (errors.EnvironmentFailedError, 4),
    ],
)
def test_exit_code_of_a_whole_branch(base: type[errors.OnnxmemError], code: int) -> None:
    assert base.exit_code == code
    assert {child.exit_code for child in below(base)} == {code}


@pytest.mark.parametrize("kind", OURS)
def test_message_is_one_line(kind: type[errors.OnnxmemError]) -> None:
    assert str(kind("first line\n   second\tline\r\n")) == "first line second line"


@pytest.mark.parametrize("kind", OURS)
def test_every_error_stands_in_the_list(kind: type[errors.OnnxmemError]) -> None:
    assert errors.__doc__ is not None
    assert f"{kind.__name__} " in errors.__doc__


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (errors.DataError, ValueError),
        (errors.OutputError, OSError),
        (errors.DeviceError, RuntimeError),
        (errors.OutOfMemoryError, MemoryError),
    ],
)
def test_errors_are_caught_as_the_builtin_they_resemble(
    kind: type[errors.OnnxmemError], builtin: type[Exception]
) -> None:
    assert issubclass(kind, builtin)
