r"""The room that a model is opened in: a child process that may take and touch little.

    places --> Room --forked.fork--> enter (limits, landlock) --> the command
                    \--parent.spawn--> child ----^
    how it ended --parent.wait, reason--> one line, exit 4

A `Room` says what a process may hold, how long it may take, and which files it may read and write.
A light process forks itself (the command line), a heavy one starts a new interpreter (surveys, and
`sandbox=True` in Python). The parent waits, ends what takes too long with all that it started, and
turns every death into words. `limits` are the system's own, `landlock` is the Linux kernel's.

Nothing here imports anything but the standard library and what is as light, since the parent of a
command is there for as long as the command is.
"""

from onnxmem.sandbox.room import Room, enter, is_confined, noted, switched_off, told

__all__ = ["Room", "enter", "is_confined", "noted", "switched_off", "told"]
