"""Exact nearest neighbours of many samples: features in, who is nearest out. NumPy and CuPy alike.

    projection        long features made short by a seeded random projection
    directions        features as directions from their mean, whose angles are compared
    search            the nearest of all others, by products of blocks

It knows no network and no labels.
"""

from onnxmem.neighbours.directions import Directions
from onnxmem.neighbours.projection import Projection
from onnxmem.neighbours.search import Nearest, block_size, nearest

__all__ = ["Directions", "Nearest", "Projection", "block_size", "nearest"]
