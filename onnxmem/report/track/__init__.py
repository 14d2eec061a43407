"""A course of training, as tables, text, pictures and a page: one module for each format.

words             sentences and cells that several formats share
charts            the charts of page and picture, and the rows that they draw
csv, markdown, table, page, picture
                  one format each
"""
