"""How far the scores of one network differ between the frameworks that exported it.

python tests/exports/make.py models/mnist-cnn-p00.onnx -o exports   # once for each framework
python benchmarks/frameworks.py exports > benchmarks/results/frameworks.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import onnx

from onnxmem import models
from onnxmem.auditing import Settings
from onnxmem.comparing import Cell, Comparison, compare
from onnxmem.comparing.together import audit_together
from onnxmem.data import load
from onnxmem.report import load_stored
from onnxmem.runtime import versions


def measure(network: models.Network, exports: Sequence[Path]) -> Comparison:
    """Audit the network as it ships, and all its exports, on its own data."""
    paths = [network.path, *exports]
    together = audit_together(paths, load(network.data_path), Settings(device="cpu"))
    return compare(together.reports, notes=together.notes, same_data=True)


def spread(cells: Sequence[Cell | None]) -> float | None:
    """Return the largest difference of any two exports, None where all of them are saturated.

    NaN where some are and others are not.
    """
    aucs = [cell.auc for cell in cells if cell and not cell.saturated and cell.auc is not None]
    if not aucs:
        return None
    return max(aucs) - min(aucs) if len(aucs) == len(cells) else float("nan")


def shown(differences: Sequence[float | None]) -> str:
    """Return the largest difference that there is."""
    known = [one for one in differences if one is not None]
    return f"{np.max(known):.4f}" if known else "–"


def section(comparison: Comparison) -> list[str]:
    """Return what was measured of one network as Markdown."""
    lines = [f"## {comparison.models[0]}", ""]
    lines += ["| score | AuC | largest difference of the mean | of one layer |"]
    lines += ["|---|---|---|---|"]
    for key, cells in comparison.summary.items():
        layers = shown([spread(row.scores[key]) for row in comparison.layers])
        auc = "saturated" if cells[0] is None or cells[0].auc is None else f"{cells[0].auc:.4f}"
        lines.append(f"| `{key}` | {auc} | {shown([spread(cells)])} | {layers} |")
    alike = all(None not in row.tensors for row in comparison.layers)
    matched = "all matched" if alike else "NOT all matched"
    lines += ["", f"{len(comparison.layers)} layers, {matched}.", ""]
    lines += ["| export | input | accuracy | made by |", "|---|---|---|---|"]
    for name, report in zip(comparison.models, comparison.reports, strict=True):
        proto = onnx.load(report.model.path)
        shape = [d.dim_value or "n" for d in proto.graph.input[0].type.tensor_type.shape.dim]
        made = proto.doc_string or f"{proto.producer_name} {proto.producer_version}"
        text = f"({', '.join(map(str, shape))})"
        lines.append(f"| {name} | {text} | {report.baseline.value:.4f} | {made} |")
    return [*lines, ""]


def comparisons(source: Path) -> Iterator[Comparison]:
    """Yield a stored comparison, or measure each network that has exports in a folder."""
    if source.is_file():
        stored = load_stored(source)
        assert isinstance(stored, Comparison)
        yield stored
        return
    for stem in sorted({path.name.partition(".")[0] for path in source.glob("*.onnx")}):
        yield measure(models.network(stem), sorted(source.glob(f"{stem}.*.onnx")))


def main() -> None:
    """Print the tables of all networks that have exports in the folders, or were compared."""
    print("# Exports of one network by different frameworks\n")
    print(f"Measured {date.today()} on the CPU with the default settings of `onnxmem compare`,")
    print(f"NumPy {np.__version__}, onnxruntime {versions()['onnxruntime']}.")
    print("`benchmarks/frameworks.py` measures it again.\n")
    for source in map(Path, sys.argv[1:]):
        for comparison in comparisons(source):
            print("\n".join(section(comparison)), flush=True)


if __name__ == "__main__":
    main()
