"""`onnxmem cache`: where results of layers are kept, and how to be rid of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from onnxmem import report as formats
from onnxmem.text import json_text

from .conclusion import note_trouble
from .declared import json_option, quiet_option, verbose_option
from .streams import tell

if TYPE_CHECKING:
    from onnxmem.cache import Store

SCHEMA = "onnxmem.cache/1"


@dataclass(frozen=True, slots=True)
class Usage:
    """What a store holds: its results and bytes, and how many bytes it may hold.

    `folder` is None where there is no place to keep anything.
    """

    folder: str | None
    entries: int
    bytes: int
    limit: int


@click.command("cache")
@click.argument("action", type=click.Choice(["show", "clear"]), default="show")
@json_option
@quiet_option
@verbose_option
def command(action: str, json_path: str | None, quiet: bool) -> int:
    """Show where results are kept and what they take, or clear them.

    Audits find layers that were measured before there. ONNXMEM_CACHE_DIR chooses another
    folder, ONNXMEM_CACHE_SIZE another limit than 1G; 0 keeps nothing.
    """
    from onnxmem.cache import default_store

    store = default_store()
    if json_path is not None:
        formats.check_writable(json_path)
    note_trouble(store, quiet=quiet)
    if action == "clear":
        count = store.clear()
        if not quiet:
            tell(f"onnxmem: removed {count} results")
    usage = _usage(store)
    if json_path is not None:
        formats.write(json_text({"schema": SCHEMA, **asdict(usage)}), json_path)
    if action == "show" and not quiet and json_path != "-":
        from .console import show
        from .tables import cache_table

        show(cache_table(asdict(usage)))
    return 0


def _usage(store: Store) -> Usage:
    entries, size = store.usage()
    return Usage(None if store.trouble else str(store.folder), entries, size, store.limit)
