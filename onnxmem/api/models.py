"""Models that callers hold in memory: for as long as one is asked, it lies in a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol, cast

from onnxmem.cache.scratch import scratch_folder
from onnxmem.errors import UsageError
from onnxmem.records import ModelInfo

IN_MEMORY = "model.onnx"
"""What a model is called that has no file."""


class ModelProto(Protocol):
    """What is used of an `onnx.ModelProto`."""

    def SerializeToString(self) -> bytes:
        """Return the model as the bytes of a file."""


Model = str | Path | bytes | ModelProto
"""A model: the path of its file, the bytes of one, or an `onnx.ModelProto`."""


@contextmanager
def model_file(model: Model) -> Iterator[str | Path]:
    """Give the path of a model's file, which is a temporary one where it has none.

    Raises:
        UsageError: it is larger than the 2 GB that such an object can hold.
    """
    content = _content(model)
    if content is None:
        yield cast(str | Path, model)  # what is none is refused where it is loaded
        return
    with scratch_folder() as folder:
        path = folder / IN_MEMORY
        path.write_bytes(content)
        yield path


@contextmanager
def model_files(models: Sequence[Model]) -> Iterator[list[str | Path]]:
    """Give the paths of several models' files; see `model_file`."""
    with ExitStack() as stack:
        yield [stack.enter_context(model_file(model)) for model in models]


def as_given(info: ModelInfo, model: Model) -> ModelInfo:
    """Return what a report says of a model, without the path of a file that is gone."""
    return replace(info, path=IN_MEMORY) if _in_memory(model) else info


def _in_memory(model: Model) -> bool:
    return isinstance(model, bytes) or hasattr(model, "SerializeToString")


def _content(model: Model) -> bytes | None:
    if isinstance(model, bytes):
        return model
    if isinstance(model, (str, Path)) or not _in_memory(model):
        return None
    try:
        return model.SerializeToString()
    except ValueError as error:
        raise UsageError(
            f"the model cannot be written as one file ({error}); save it, and give its path"
        ) from error
