"""The parts of quantizing a GGUF file as llama-quantize does, byte for byte. Pure: no database, no settings.

    model.py       the file or its shards: tensors and metadata, judged before anything is believed
    importance.py  the importance matrix
    mix.py         which type each tensor gets
    plan.py        what will be written: every tensor, every header, every offset
    slabs.py       a few rows of a tensor from one type to another
    outputs.py     temporary names, space, hashes, the rename at the end
    pipeline.py    all of it at once, in bounded memory

The front door is `workers.quantize`.
"""
