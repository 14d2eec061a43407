"""Tells files that stand in place of others (a Git LFS pointer, a web page) by how they begin."""

from __future__ import annotations

LFS_POINTER = b"version https://git-lfs"
"""How the file begins that Git leaves where it did not fetch the content."""

_STAND_INS = {
    LFS_POINTER: ("a Git LFS pointer", "fetch it: git lfs pull"),
    b"<!doctype html": ("a web page", "download the file itself"),
    b"<html": ("a web page", "download the file itself"),
    b"\x1f\x8b": ("gzip-compressed", "unpack it"),
    b"\x89hdf": ("an HDF5 file", ""),
    b"\x80": ("a pickle (which is never unpickled)", ""),
}
"""How such files begin, what they are, and what to do where that does not depend on the reader."""


def mistaken(content: bytes, wanted: str, convert: str) -> str:
    """Return what a file is, if it is surely not what was wanted, as the rest of a sentence.

    Args:
        content: how it begins.
        wanted: what it should be, with its article.
        convert: what to do about a file of another format.
    """
    start = content[:512].lstrip().lower()
    for begin, (what, advice) in _STAND_INS.items():
        if start.startswith(begin):
            return f"is {what}, not {wanted}; {advice or convert}"
    return ""
