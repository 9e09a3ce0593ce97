"""PURE: what the names of files and the words of a card show of a model's parts.  A name is a sign, not a proof."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hub.catalog.cards import body_of
from licenses.openness import Evidence, Presence

MAX_SEEN = 5
_WEIGHTS = r".*\.(safetensors|gguf|bin|pt|pth|onnx|h5|msgpack|ckpt)"
_ANY = r"(?:.*/)?"
_CODE = r"(?:.*/)?[^/]*{0}[^/]*\.(py|ipynb|sh|jl|cu)"
_SETUP = r"(?:.*/)?[^/]*{0}[^/]*\.(ya?ml|json|toml)"
# Components that files show by their names: the component, how well, and what the lower-cased path looks like.
_FILES: Sequence[tuple[str, Presence, re.Pattern[str]]] = [
    (component, presence, re.compile(pattern))
    for component, presence, pattern in (
        ("metadata", Presence.PRESENT, r"(?:.*/)?(optimizer|scheduler|rng_state)[^/]*\.(pt|pth|bin|safetensors)"),
        ("metadata", Presence.PRESENT, r"(?:.*/)?(trainer_state\.json|training_args\.(bin|json))"),
        ("checkpoints", Presence.PRESENT, rf"(?:.*/)?(checkpoint|step|iter)[-_]?\d+/{_WEIGHTS}"),
        ("preprocessing-code", Presence.PRESENT, _CODE.format("(preprocess|prepare_data|data_prep|tokenize_data)")),
        ("training-code", Presence.PRESENT, _CODE.format(r"(?<!pre)(train|finetun|fine_tun|pretrain)")),
        ("training-code", Presence.PARTIAL, _SETUP.format("(axolotl|recipe|training|finetun)")),
        ("evaluation-code", Presence.PRESENT, _CODE.format(r"(?:\b|_)(eval|benchmark)")),
        ("evaluation-code", Presence.PARTIAL, _SETUP.format("(lm_eval|eval_config|eval_task)")),
        ("inference-code", Presence.PRESENT, rf"{_ANY}(model|modul|generate|inference|pipeline|handler)\w*\.py"),
        ("libraries", Presence.PRESENT, rf"{_ANY}(requirements\S*\.txt|pyproject\.toml|environment\.ya?ml|setup\.py)"),
        ("evaluation-results", Presence.PRESENT, r"(?:.*/)?(eval_results|all_results|[^/]*_eval)\.(json|ya?ml|csv)"),
        ("evaluation-results", Presence.PRESENT, r"\.eval_results/.*"),
        ("sample-outputs", Presence.PRESENT, r"(sample|sample_output|example)s?/.*\.(txt|md|jsonl?|png|jpe?g|wav|mp4)"),
        ("research-paper", Presence.PRESENT, r"(?:.*/)?[^/]*paper[^/]*\.(pdf|tex)"),
        ("technical-report", Presence.PRESENT, r"(?:.*/)?(?!.*paper)[^/]*\.pdf"),
        ("technical-report", Presence.PRESENT, r"(?:.*/)?tech(nical)?[-_]?report[^/]*\.(md|tex)"),
    )
]  # fmt: skip
_ARXIV = re.compile(r"arxiv[.:/\w]{0,20}?(\d{4}\.\d{4,5})", re.IGNORECASE)
_CODE_LINK = re.compile(r"https://(?:github|gitlab)\.com/[\w.-]{1,60}/[\w.-]{1,100}", re.IGNORECASE)
_HEADING = re.compile(r"^#{1,4}[ \t]+(.{1,200})$", re.MULTILINE)
_UNFILLED = re.compile(r"\[?more information needed\]?", re.IGNORECASE)
# What a card should tell of, by the words of its headings.
_SECTIONS: Mapping[str, re.Pattern[str]] = {
    "use": re.compile(r"\b(use|uses|usage|intended|how to)\b", re.IGNORECASE),
    "limits": re.compile(r"\b(limit|limits|limitations?|bias|risks?|safety)\b", re.IGNORECASE),
    "training": re.compile(r"\b(train|trained|training|data|procedure)\b", re.IGNORECASE),
    "evaluation": re.compile(r"\b(eval\w*|results?|benchmarks?|performance|metrics)\b", re.IGNORECASE),
}
_ENOUGH_SECTIONS = 3
_FEW_WORDS = 30
# Libraries that hold the architecture and the code to run it, and the license that each is published under.
_LIBRARIES: Mapping[str, str] = {
    "transformers": "apache-2.0", "diffusers": "apache-2.0", "sentence-transformers": "apache-2.0",
    "timm": "apache-2.0", "peft": "apache-2.0", "open_clip": "mit", "llama.cpp": "mit",
}  # fmt: skip
_STRENGTH = (Presence.ABSENT, Presence.CLAIMED, Presence.PARTIAL, Presence.PRESENT)


def stronger(one: Evidence | None, two: Evidence) -> Evidence:
    """Return the better of two findings about one component; equals are told together."""
    if one is None or _STRENGTH.index(two.presence) > _STRENGTH.index(one.presence):
        return two
    if one.presence is two.presence and one.license == two.license:
        return Evidence(one.presence, one.license, tuple(dict.fromkeys(one.seen + two.seen))[:MAX_SEEN])
    return one


def from_paths(paths: Iterable[str]) -> Iterator[tuple[str, Presence, str]]:
    """Yield (component, presence, path) for every file whose name shows a component."""
    for path in paths:
        low = path.lower()
        for component, presence, pattern in _FILES:
            if pattern.fullmatch(low):
                yield component, presence, path
                break


def is_weights(path: str) -> bool:
    """True for a file that holds parameters of the model itself, not of its training."""
    low = path.lower()
    return re.fullmatch(_WEIGHTS, low) is not None and not any(
        pattern.fullmatch(low) for name, _, pattern in _FILES if name in ("metadata", "checkpoints")
    )


def from_card(text: str, data: Mapping[str, Any]) -> Iterator[tuple[str, Presence, str]]:
    """Yield (component, presence, where) for what a README and its front matter show."""
    body = body_of(text)
    filled = _UNFILLED.sub("", body)
    headings = _HEADING.findall(filled)
    told = [name for name, words in _SECTIONS.items() if any(words.search(text) for text in headings)]
    words = len(_HEADING.sub("", filled).split())
    if words >= _FEW_WORDS:
        whole = len(told) >= _ENOUGH_SECTIONS and words >= 4 * _FEW_WORDS
        kind = Presence.PRESENT if whole else Presence.PARTIAL
        yield "model-card", kind, f"README.md: tells of {', '.join(told) or 'none of what a card should'}"
    if isinstance(data.get("model-index"), list) and data["model-index"]:
        yield "evaluation-results", Presence.PRESENT, "README.md: model-index"
    elif "evaluation" in told and "|" in filled:
        yield "evaluation-results", Presence.PRESENT, f"README.md:{_line_of(text, 'evaluation')}"
    for found in dict.fromkeys(_ARXIV.findall(body)):
        yield "research-paper", Presence.CLAIMED, f"arXiv {found}, on terms that nobody has read"
    if link := _CODE_LINK.search(body):
        yield "training-code", Presence.CLAIMED, f"{link[0]}, which this hub does not hold"


def _line_of(text: str, section: str) -> int:
    for number, line in enumerate(text.splitlines(), start=1):
        heading = _HEADING.match(line)
        if heading and _SECTIONS[section].search(heading[1]):
            return number
    return 1


def from_config(config: Mapping[str, Any], library: str, gguf: str) -> Iterator[tuple[str, Evidence]]:
    """Yield what holds the architecture and runs it: code of the repo, or a library whose license is known.

    ``auto_map`` says that the code lies in the repo itself; then its files speak.
    """
    names = config.get("architectures")
    name = str(names[0])[:100] if isinstance(names, list) and names else ""
    if gguf and not name:
        name, library = gguf, "llama.cpp"
    elif name and not library:
        library = "transformers"
    if config.get("auto_map") or library not in _LIBRARIES or not name:
        return
    found = Evidence(Presence.PRESENT, _LIBRARIES[library], (f"{name}, in {library}",))
    yield "architecture", found
    yield "inference-code", found
