"""A course of training: several checkpoints of one architecture, and the one to keep.

    checkpoints       files, folders and patterns in natural order, and whether they fit together
    course            the whole of it: each checkpoint asked in turn, a report out
    standing          what is remembered of one checkpoint
    choice            the checkpoint to keep, and how sure that is
    fitting           when each sample is fitted, and its score over the course

A checkpoint is chosen by held-out inputs without labels: where its answers agree most with the
nearest training samples, mean over the layers.
"""

from onnxmem.tracking.checkpoints import find_checkpoints
from onnxmem.tracking.course import track

__all__ = ["find_checkpoints", "track"]
