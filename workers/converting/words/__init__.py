"""Vocabularies: what a checkpoint's tokenizer files become in a GGUF file."""
