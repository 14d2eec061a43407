"""Exports a network of the project by every framework that is installed.

    python tests/exports/make.py                          # the small networks beside this file
    python tests/exports/make.py NETWORK.onnx -o FOLDER   # another one, for the benchmark

Frameworks that are not installed are named and left out, so that the script can be run once in
each of several environments.
"""

from __future__ import annotations

import argparse
import importlib
from importlib.util import find_spec
from pathlib import Path

import weights

HERE = Path(__file__).parent
BUILDERS = {
    "by_torch": "torch",
    "by_tensorflow": "tf2onnx",
    "by_jax": "jax2onnx",
    "by_sklearn": "skl2onnx",
}
SMALL = (HERE / "small-cnn.onnx", HERE / "small-mlp.onnx")


def write_exports(network: Path, folder: Path, only: str | None = None) -> None:
    """Write `NETWORK.EXPORT.onnx` for every export that can be made here, or those of `only`."""
    for name, library in BUILDERS.items():
        if only not in (None, name):
            continue
        if find_spec(library) is None:
            print(f"{library} is not installed; its exports are left out")
            continue
        builder = importlib.import_module(name)
        for export, build in builder.exports(weights.read(network)).items():
            path = folder / f"{network.stem}.{export}.onnx"
            weights.save(build(), path, builder.VERSIONS)
            print(f"{path} {path.stat().st_size:,} bytes, {builder.VERSIONS}")


def main() -> None:
    """Read the command line and write the exports."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("network", nargs="*", type=Path, default=SMALL)
    parser.add_argument("-o", "--output", type=Path, default=HERE)
    parser.add_argument("--only", choices=BUILDERS)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    for network in options.network:
        write_exports(network, options.output, options.only)


if __name__ == "__main__":
    main()
