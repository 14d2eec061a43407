"""Labelled samples: from files to named columns, and from these to batches. Knows no models.

    loading           which reader a path belongs to: `npz`, `npy`, `arrow` or `images`
    budget            what is too large to be read, by its header
    columns           what readers give: arrays, or rows that are read when they are asked for
    files, extras     unreadable files and missing libraries, in words
    labels, splits    numbers and names of classes, names of splits
    preprocess, hub_config, recipe, fitting
                      how images are prepared: what was said, and what a network takes
    samples           columns checked against the inputs of a network (`shapes`, `channels`)
    source            where they come from, for the record
    batches           which samples are analyzed together
    suspects          which samples somebody holds for noisy

A new file format is a reader beside these, and a line in `loading` that knows how its files begin.
"""

from onnxmem.data.batches import FEWEST, Batch, Selection, draw
from onnxmem.data.columns import Column, InputSpec, Lazy
from onnxmem.data.extras import EXTRAS, Extra
from onnxmem.data.loading import load
from onnxmem.data.samples import Samples, held_out_samples, make_samples, split_rows
from onnxmem.data.source import IN_MEMORY, Source
from onnxmem.data.splits import HELD_OUT, plain_name, split_names
from onnxmem.data.suspects import Suspects, as_flags, find_suspects, read_suspects

__all__ = [
    "EXTRAS",
    "FEWEST",
    "HELD_OUT",
    "IN_MEMORY",
    "Batch",
    "Column",
    "Extra",
    "InputSpec",
    "Lazy",
    "Samples",
    "Selection",
    "Source",
    "Suspects",
    "as_flags",
    "draw",
    "find_suspects",
    "held_out_samples",
    "load",
    "make_samples",
    "plain_name",
    "read_suspects",
    "split_names",
    "split_rows",
]
