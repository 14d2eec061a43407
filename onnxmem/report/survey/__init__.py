"""Many models, as one page and one table.

words             cells and sentences that both share
page, table       one format each
"""
