"""The formats of Xet: hashes, xorbs, shards and chunk boundaries.  Pure: bytes in, values out, no server.

Every number on the wire is little-endian, and every length is bounded before anything is allocated for it.
"""
