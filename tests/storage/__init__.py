"""Tests of the storage room, on a real PostgreSQL and a real object store."""
