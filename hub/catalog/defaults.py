"""What a new repo begins with: attributes that send weights to the large-file store.

The suffixes are those of the formats in which weights and data sets travel.
"""

LARGE_SUFFIXES = (
    "7z arrow bin bz2 ckpt ftz gguf ggml gz h5 joblib mlmodel model msgpack npy npz onnx ot parquet pb pickle pkl pt "
    "pth rar safetensors tar tflite tgz wasm xz zip zst"
).split()
LARGE_PATTERNS = [f"*.{suffix}" for suffix in LARGE_SUFFIXES] + [
    "*.lfs.*",
    "*.tar.*",
    "saved_model/**/*",
    "*tfevents*",
]
MEDIA_SUFFIXES = "aac audio bmp flac gif jpeg jpg mov mp3 mp4 ogg pcm png raw sam tiff wav webm webp".split()


def attributes_for(type_: str) -> bytes:
    """Return the ``.gitattributes`` of a new repo; data sets keep media files large as well."""
    patterns = [*LARGE_PATTERNS, *(f"*.{suffix}" for suffix in MEDIA_SUFFIXES if type_ == "dataset")]
    return "".join(
        f"{pattern} filter=lfs diff=lfs merge=lfs -text\n" for pattern in sorted(patterns)
    ).encode()
