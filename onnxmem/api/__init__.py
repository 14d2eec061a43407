"""The Python interface: what `onnxmem.audit` and its like take, and what they hand out.

audit, samples, locate, track, compare, inspect
one call for each question
taking, models, options
what callers give in place of files and options
results           the records with methods that write and show them
frames            results as tables
"""
