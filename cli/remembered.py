"""Audits that were made before: the whole report from the cache, without a look at the network."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from onnxmem import report as formats

from .entry import waivers
from .options import FORMATS, STATEMENTS, data_files, take_store

if TYPE_CHECKING:
    from onnxmem.cache import Store
    from onnxmem.records import Report

_NO_INFLUENCE = frozenset(
    {
        *FORMATS,
        *STATEMENTS,
        "samples_path",
        "quiet",
        "verbose",
        "cache",
        "exit_zero",
        "sandbox",
        "timeout",
    }
)
"""Options that change where a report goes and what is said, not what stands in it."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the cache holds of one audit.

    Attributes:
        store: the cache.
        report: that of an earlier audit of the same, None where there was none.
        again: the arguments that make the key; None where no report may be kept.
        key: what they made before the audit.
    """

    store: Store
    report: Report | None = None
    again: tuple[Any, ...] | None = None
    key: str | None = None

    def keep(self, report: Report) -> None:
        """Keep a new report, unless a file that it is of has changed meanwhile."""
        from onnxmem.cache import whole

        if self.again is None or self.key is None:
            return
        if self.key == whole.report_key(*self.again):
            whole.keep(self.store, self.key, report)

    def render(self, report: Report, name: str) -> str:
        """Return a report in a format; see `render`."""
        return render(report, name, self.store)


def render(report: Report, name: str, store: Store) -> str:
    """Return a report in a format; a page that was made before is not made again."""
    if name != "html" or not store.limit:
        return formats.render(report, name)
    from onnxmem.cache import whole

    key = whole.page_key(report)
    found = store.get(key)
    if found is not None:
        return found.decode("utf-8", "surrogatepass")
    page = formats.render(report, name)
    store.put(key, page.encode("utf-8", "surrogatepass"))
    return page


def remembered(model: str, data: str, options: dict[str, Any], *, wanted: bool) -> Remembered:
    """Look an audit up in the cache; where it is not `wanted`, nothing is looked up or kept."""
    from onnxmem.cache import whole

    store = take_store(options)
    if not wanted or not store.limit:
        return Remembered(store)
    judged = [asdict(one) for one in waivers()]
    asked = {name: value for name, value in options.items() if name not in _NO_INFLUENCE}
    asked |= {"data": data, "waivers": judged, "day": whole.today() if judged else ""}
    files = data_files(data, options)
    if options["baseline"]:
        files.append(options["baseline"])
    again = (model, files, asked, options["device"])
    key = whole.report_key(*again)
    if key is None:
        return Remembered(store)
    return Remembered(store, whole.recall(store, key), again, key)


def tell_known(report: Report, title: str, *, quiet: bool) -> None:
    """Say that nothing had to be measured."""
    if quiet:
        return
    from onnxmem.auditing.progress import Progress

    from .progress import progress

    count = len(report.layers)
    with progress(title, quiet=quiet) as listen:
        note = f"{count} of {count} layers from the cache"
        listen(Progress("looking at the cache", count, count, note, unit="layers"))
