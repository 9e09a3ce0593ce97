"""Protocols: thin doors for programs.  Each reads a request, calls the catalog and shapes the answer."""
