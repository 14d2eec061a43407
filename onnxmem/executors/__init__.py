"""What runs functions elsewhere, as `concurrent.futures` has it. Knows nothing of what they do.

processes  worker processes of this machine, each of which may die alone; `worker` is one
cluster    the workers of a Dask scheduler
room       how much an executor does at once
attempts   tasks that are tried again when their worker dies

No executor of others is closed here.
"""
