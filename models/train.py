"""Makes the shipped networks again: `python -m onnxmem.models.train -o DIR`.

Writes one ONNX file and one data file for each network, and `manifest.json`; what is in the
manifest already stays. The same version of torch on the same kind of processor gives the same
bytes. All networks together take about ten minutes on one thread.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Train what the command line asks for; return the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        _train(parser, options)
    except ModuleNotFoundError as error:
        print(f'train: {error.name} is missing: pip install "onnxmem[train]"', file=sys.stderr)
        return 4
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m onnxmem.models.train", description="Make the shipped networks again."
    )
    parser.add_argument("--family", help="only this family, for instance mnist-cnn")
    parser.add_argument("--p", type=float, help="only this share of replaced labels")
    parser.add_argument("--seed", type=int, default=0, help="of weights, batches, noise (0)")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write to")
    return parser


def _train(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    from .recipes.families import FAMILIES
    from .recipes.make import make

    families = [family for family in FAMILIES if options.family in (None, family.name)]
    shares = sorted({course.p for family in families for course in family.courses})
    if not families:
        parser.error(f"no such family; there are {', '.join(one.name for one in FAMILIES)}")
    if options.p not in (None, *shares):
        parser.error(f"no such share; there are {', '.join(map(str, shares))}")
    options.output.mkdir(parents=True, exist_ok=True)
    for family in families:
        dataset = family.dataset()
        for course in family.courses:
            if options.p not in (None, course.p):
                continue
            for entry in make(family, course, dataset, options.seed, options.output):
                print(
                    f"{entry['name']}: {entry['epochs']} epochs, accuracy "
                    f"{entry['train_accuracy']:.4f} on training samples, "
                    f"{entry['heldout_accuracy']:.4f} on held-out ones",
                    flush=True,
                )


if __name__ == "__main__":
    sys.exit(main())
