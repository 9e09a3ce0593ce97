"""The chunk store's doors: how the stock client sends and fetches large files."""
