"""Where a network memorizes, in formats of its own; see `onnxmem.records.LocateReport`."""
