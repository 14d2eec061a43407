"""The Python interface: what `onnxmem.audit` and its like take, and what they hand out.

audit, samples, track, compare
one call for each question
taking            what callers give in place of files and options
results           the records with methods that write and show them
"""
