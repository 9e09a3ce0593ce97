"""Parsers of the files that models come in. Pure: standard library, no database, no network, no settings.

The files are hostile until proven otherwise. Every length is checked against what is left of the file and
against a fixed bound before anything is allocated, nothing is ever unpickled, and a fault in a file is a
Finding, never an exception. A file is read through a RangeReader, so a 100 GB object in a bucket costs a few
ranged reads.

    from workers.formats.sniff import inspect
    inspect(reader, name="model.safetensors").to_json()
"""
