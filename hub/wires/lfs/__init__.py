"""The git-lfs batch protocol: how large files are pushed without Xet."""
