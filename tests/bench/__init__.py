"""``make bench``: speed and memory of the hub, each as a ratio against a named peer in the same run."""
