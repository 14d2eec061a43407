"""Which curves are measured: compressors, kinds of batches, ranks, and what counts as correct."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from onnxmem.errors import UsageError
from onnxmem.factorize import COMPRESSORS, DEFAULT_COMPRESSORS
from onnxmem.graph import Site
from onnxmem.network.settings import RunSettings, check_names
from onnxmem.records import Metric

BATCHES = ("class", "mixed")
METRICS = ("top1", "fidelity")

_HIGHEST_RANK = 2**31 - 1


@dataclass(frozen=True, slots=True)
class CurveSettings(RunSettings):
    """What is measured of every layer.

    Attributes:
        compress: compressors, of nmf, pca, ablation, and of nmf_removed, pca_removed and
            random_removed, which take directions out.
        batch: kinds of batches, of class and mixed.
        per_class: samples of each class.
        ranks: "auto", or the ranks to measure.
        metric: top1, fidelity, or None: top1 where there are labels.
    """

    compress: tuple[str, ...] = DEFAULT_COMPRESSORS
    batch: tuple[str, ...] = BATCHES
    per_class: int = 30
    ranks: tuple[int, ...] | Literal["auto"] = "auto"
    metric: Metric | None = None

    def __post_init__(self) -> None:
        if self.metric is not None:
            check_names("metric", (self.metric,), METRICS)
        RunSettings.__post_init__(self)
        self._drop_repeated("compress", "batch")
        check_names("compressor", self.compress, COMPRESSORS)
        check_names("kind of batch", self.batch, BATCHES)
        if self.per_class < 2:
            raise UsageError(f"--per-class {self.per_class} is too small: a batch needs 2 samples")
        if self.ranks != "auto" and (not self.ranks or min(self.ranks) < 1):
            raise UsageError("--ranks takes auto, or integers from 1 on: 1,2,4,8")
        if self.ranks != "auto" and max(self.ranks) > _HIGHEST_RANK:
            raise UsageError(f"--ranks {max(self.ranks)}: no matrix has a rank beyond 2147483647")

    @property
    def keys(self) -> list[str]:
        """The keys of all scores, for instance `nmf.mixed`."""
        return [f"{name}.{kind}" for name in self.compress for kind in self.batch]

    def check_sites(self, sites: Sequence[Site]) -> None:
        """Check that some rank is below the width of some site, as far as the graph tells widths.

        Raises:
            UsageError: none is, so that nothing would be compressed.
        """
        if self.ranks == "auto" or set(self.compress) == {"ablation"}:
            return
        widths = [_width(site) for site in sites if site.status == "ok"]
        known = [width for width in widths if width is not None]
        if known and len(known) == len(widths) and min(self.ranks) >= max(known):
            raise UsageError(
                f"--ranks {','.join(map(str, self.ranks))}: no layer is wider than {max(known)}, "
                "so nothing would be compressed; give smaller ranks, or auto"
            )


def _width(site: Site) -> int | None:
    """Return the features of a site, None where the graph does not tell."""
    if site.sizes is None or site.feature_axis is None:
        return None
    if not -len(site.sizes) <= site.feature_axis < len(site.sizes):
        return None
    return site.sizes[site.feature_axis]


def parse_ranks(text: str) -> tuple[int, ...] | Literal["auto"]:
    """Read `auto` or `1,2,4,8`.

    Raises:
        UsageError: it is neither.
    """
    if text.strip() == "auto":
        return "auto"
    try:
        ranks = tuple(sorted(int(part) for part in text.split(",")))
    except ValueError:
        ranks = (0,)
    if ranks[0] < 1:
        raise UsageError(f"--ranks {text!r}: give auto, or integers from 1 on: 1,2,4,8")
    if len(set(ranks)) < len(ranks):
        raise UsageError(f"--ranks {text!r} names a rank twice; give each of them once")
    return ranks
