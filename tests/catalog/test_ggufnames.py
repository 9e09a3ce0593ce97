"""Names of quantized files, against the rule by which llama.cpp's -hf picks one of them."""

import re

import pytest

from hub.catalog.ggufnames import TYPES, TYPES_BY_MATRIX, file_name, stem_of

PASSED_OVER = ("mmproj", "imatrix", "mtp-", "eagle3-", "dflash-", "dspark-")


def picked(paths: list[str], tag: str) -> str | None:
    """The first model in the order of the listing in whose name the tag is followed by a dot or a hyphen."""
    rule = re.compile(f"{tag}[.-]", re.IGNORECASE)
    fit = [path for path in sorted(paths) if not any(word in path for word in PASSED_OVER)]
    return next((path for path in fit if rule.search(path)), None)


@pytest.mark.parametrize(
    "name",
    ["boats", "boats-7B-Instruct", "boats-Q8_0-tuned", "Boats.BF16.v2", "f16-boats", "x-fp16", "boats-mtp",
     "mtp-boats", "my-imatrix-boats", "mmproj", "boatsF16-v2", "eagle3-dflash-dspark", "Q4_K_M", "é" * 200,
     "TQ1_0-Q1_0.IQ4_NL"],
)  # fmt: skip
def test_every_type_is_found_under_its_own_name_and_no_other(name: str) -> None:
    paths = {type_: file_name(stem_of(name), type_) for type_ in (*TYPES, *TYPES_BY_MATRIX)}
    assert len(set(paths.values())) == len(paths)
    for type_, path in paths.items():
        assert picked([*paths.values()], type_) == path
        assert len(path.encode()) < 210


def test_names_that_harm_nobody_stay_as_they_are() -> None:
    for name in ("SmolLM2-135M-Instruct", "a|b `c` <i>", "Qwen3-0.6B", "boats_v1.5"):
        assert stem_of(name) == name
    assert stem_of("boats-BF16") == "boats"
