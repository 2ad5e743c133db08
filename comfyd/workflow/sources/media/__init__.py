"""Workflows inside media files. One module per container; each yields the texts that a file carries as (key, text).

A reader takes a Window and raises Damaged for a file that contradicts itself or ends too early. It yields what it finds
as it finds it, so that a reader whose file is cut off has yielded what came before the cut.
"""
