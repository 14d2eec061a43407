"""How much of the data may be in memory at once; what is larger is refused before it is read."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from onnxmem.arrays import free_memory
from onnxmem.errors import OutOfMemoryError
from onnxmem.sizes import size_text


@dataclass(frozen=True, slots=True)
class Budget:
    """A number of bytes."""

    memory: int = sys.maxsize

    def require(self, size: int, what: str) -> None:
        """Check that `what` of `size` bytes may be read.

        Raises:
            OutOfMemoryError: it is larger.
        """
        if size > self.memory:
            raise OutOfMemoryError(
                f"{what} takes {size_text(size)} of memory, the budget is "
                f"{size_text(self.memory)}; use a larger --memory, or give less"
            )


UNBOUNDED = Budget()


def take_budget(memory: int | None) -> Budget:
    """Return the budget of `memory` bytes, None for half of what is free."""
    return Budget(free_memory(on_device=False) // 2 if memory is None else memory)
