"""Which samples are memorized, as tables, text and a page: one module for each format.

    rows              one row for each sample, by columns: what CSV, Parquet and frames hold
    csv, parquet, markdown, table, page
                      one format each

Ids and class names are written by others: as data they stay what they are, shown they are made
harmless.
"""
