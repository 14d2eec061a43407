"""One large audit spread over an executor: by layers, and by blocks of samples.

    job        what every task is told of the audit: paths and settings, no arrays
    tasks      what a worker does: tells what is missing, or measures a part
    spread     hands parts out, and tries again those whose workers die
    chosen     the executor that a caller asked for
    places     the cache, and files for samples that a caller holds in memory

Results meet in the cache: the caller makes the ordinary audit afterwards, which finds them there,
measures what is not, and gives the report that it gives without any of this.
"""
