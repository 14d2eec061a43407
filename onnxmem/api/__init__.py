"""The Python interface: what `onnxmem.audit` and its like take, and what they hand out.

audit, compare    one call for each question
results           the records with methods that write and show them
"""
