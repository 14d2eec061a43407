"""Many models, each audited by a process of its own; results meet in one folder.

    manifest   TOML, CSV, patterns or folders to entries: a model, its data, options of its own
    options    which options an entry may have, and how a command line has them
    names      what the files of each model are called
    tasks      what a worker is handed, and what it gives back: paths and words, no arrays
    child      the process that audits one model, under limits that it sets itself
    running    starts a child, ends it when its time is over, keeps what it left
    limits     how much memory and processor time a child may take, and which GPU
    kept       the records in the folder: what was audited, from which inputs, and what is still so
    survey     hands tasks to an executor, tries again what died, and puts the survey together

A process may die of its model, and the others do not notice. Nothing here knows how an audit is
made: a child is `onnxmem audit`.
"""
