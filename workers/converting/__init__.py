"""Checkpoints of safetensors to GGUF, with the tensors and metadata that llama.cpp's own converter writes.

Pure: no framework, no server, neither torch nor transformers.  See docs/conversion.md.
"""
