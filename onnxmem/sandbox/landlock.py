"""Landlock: the Linux kernel keeps a process, and all that it starts, to files that it was told.

Three system calls, by their numbers: the C library has no functions for them. What a kernel knows
goes by its ABI, a number that rises; of an older one less is asked, and of none nothing. A
container may forbid the calls, which is as if there were none.

Source: `Documentation/userspace-api/landlock.rst` and `include/uapi/linux/landlock.h` of Linux.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import stat
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
"""The numbers of the calls on every architecture that Linux has but Alpha."""

_VERSION = 1
_PATH_BENEATH = 1
_NO_NEW_PRIVILEGES = 38

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REMOVE_DIR, REMOVE_FILE, MAKE_DIR, MAKE_REG = 1 << 4, 1 << 5, 1 << 7, 1 << 8
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15

_FILES = ((1, (1 << 13) - 1), (2, REFER), (3, TRUNCATE), (5, IOCTL_DEV))
"""From which ABI on a kernel restricts what of files."""

_OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
"""What a rule on anything but a folder may hold."""

_NETWORK = (4, 0b11)
"""TCP: to bind, and to connect."""

_SCOPES = (6, 0b11)
"""Abstract sockets and signals of processes outside."""

READ = READ_FILE | READ_DIR
RUN = READ | EXECUTE
WRITE = READ | WRITE_FILE | TRUNCATE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | REFER
DEVICE = READ | WRITE_FILE | IOCTL_DEV

NEWEST = 7
"""The newest ABI whose rules are known here."""

_WHY = {
    errno.ENOSYS: "this kernel, or the container, has no Landlock",
    errno.EOPNOTSUPP: "Landlock was turned off when this kernel started",
    errno.EPERM: "the container forbids Landlock",
    errno.EACCES: "the container forbids Landlock",
}


@dataclass(frozen=True, slots=True)
class Rules:
    """Paths that may be used, each with all that lies below it; those that are not there count not.

    Attributes:
        read: files to read.
        run: files to read and to start as programs.
        write: folders to read, and to make, change and remove files in.
        devices: devices to use.
    """

    read: tuple[str, ...] = ()
    run: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Landlock:
    """The ABI that is in force, or could be; 0 where there is none, and `reason` why."""

    abi: int
    reason: str = ""


def available() -> Landlock:
    """Return what the kernel offers to this process."""
    if sys.platform != "linux":
        return Landlock(0, f"Landlock is Linux's, and this is {platform.system()}")
    if platform.machine() == "alpha":
        return Landlock(0, "the system calls of Alpha have other numbers")
    try:
        abi = _call(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION)
    except OSError as error:
        return Landlock(0, _why(error))
    return Landlock(min(abi, NEWEST))


def restrict(rules: Rules) -> Landlock:
    """Keep this thread, those it will start, and their processes to `rules`, without network.

    Call it while there is one thread alone. It cannot be undone.

    Returns:
        What is in force now; where that is nothing, all is as it was.
    """
    found = available()
    if not found.abi:
        return found
    handled = _of(found.abi, _FILES)
    try:
        ruleset = _make_ruleset(found.abi, handled)
        try:
            _add(ruleset, rules.read, READ & handled)
            _add(ruleset, rules.run, RUN & handled)
            _add(ruleset, rules.write, WRITE & handled)
            _add(ruleset, rules.devices, DEVICE & handled)
            _give_up_privileges()
            _call(_RESTRICT_SELF, ctypes.c_int(ruleset), 0)
        finally:
            os.close(ruleset)
    except OSError as error:
        return Landlock(0, _why(error))
    return found


def _of(abi: int, parts: Iterable[tuple[int, int]]) -> int:
    """Return what a kernel of that ABI knows of the parts."""
    return sum(bits for since, bits in parts if abi >= since)


def _make_ruleset(abi: int, handled: int) -> int:
    """Return the descriptor of a ruleset that forbids all that the kernel can."""
    attributes = struct.pack("=Q", handled)
    if abi >= _NETWORK[0]:
        attributes += struct.pack("=Q", _NETWORK[1])
    if abi >= _SCOPES[0]:
        attributes += struct.pack("=Q", _SCOPES[1])
    return _call(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)


def _add(ruleset: int, paths: Iterable[str], access: int) -> None:
    for path in dict.fromkeys(paths):
        with suppress(FileNotFoundError, NotADirectoryError, PermissionError, ValueError):
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            try:
                is_folder = stat.S_ISDIR(os.fstat(place).st_mode)
                allowed = access if is_folder else access & _OF_A_FILE
                rule = struct.pack("=Qi", allowed, place)
                with suppress(OSError):  # a pipe or a socket: those are not restricted
                    _call(_ADD_RULE, ctypes.c_int(ruleset), _PATH_BENEATH, rule, 0)
            finally:
                os.close(place)


def _give_up_privileges() -> None:
    """Let no program that this process starts gain rights, as Landlock demands."""
    if _library().prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _call(number: int, *arguments: object) -> int:
    result = int(_library().syscall(ctypes.c_long(number), *arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    return library


def _why(error: OSError) -> str:
    return _WHY.get(error.errno or 0, f"Landlock fails: {error.strerror}")
