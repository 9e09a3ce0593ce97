"""Ways to get a repo's files, with this hub's address and the reader's own rights in them."""

import shlex
from dataclasses import dataclass

from django.http import HttpRequest

from hub.catalog.lookups import DEFAULT_REVISION, Located
from hub.pages.addresses import rev_url
from hub.pages.highlight import code_html
from hub.web import public_base


@dataclass(frozen=True, slots=True)
class Snippet:
    """One way, ready to be copied."""

    title: str
    hint: str
    text: str
    language: str = "bash"

    @property
    def html(self) -> str:
        """The text in colours."""
        return code_html(self.text, self.language)


def snippets(request: HttpRequest, at: Located, largest: str) -> list[Snippet]:
    """Return what fits the repo: a client everybody has, Python, the library its card names, and plain HTTP."""
    base = public_base(request)
    ways = [_command_line(at, base), _python(at, base)]
    library = _library(at, base)
    ways += [library] if library else []
    return [*ways, _curl(at, base, largest)] if largest else ways


def _is_pinned(at: Located) -> bool:
    return at.revision != DEFAULT_REVISION


def _command_line(at: Located, base: str) -> Snippet:
    words = ["hf", "download", at.repo.full_name]
    words += ["--repo-type", "dataset"] if at.repo.type == "dataset" else []
    words += ["--revision", at.revision] if _is_pinned(at) else []
    text = f"export HF_ENDPOINT={shlex.quote(base)}\n" + shlex.join(words)
    return Snippet("hf command line", "all files", text)


def _python(at: Located, base: str) -> Snippet:
    arguments = [repr(at.repo.full_name)]
    arguments += ['repo_type="dataset"'] if at.repo.type == "dataset" else []
    arguments += [f"revision={at.revision!r}"] if _is_pinned(at) else []
    lines = [
        "from huggingface_hub import snapshot_download", "",
        f"folder = snapshot_download({', '.join([*arguments, f'endpoint={base!r}'])})",
    ]  # fmt: skip
    return Snippet("Python", "huggingface_hub", "\n".join(lines).replace("'", '"'), "python")


_LIBRARIES = {
    "transformers": ["from transformers import AutoModel", "", "model = AutoModel.from_pretrained({name}{pin})"],
    "sentence-transformers": [
        "from sentence_transformers import SentenceTransformer", "", "model = SentenceTransformer({name}{pin})",
    ],
    "diffusers": [
        "from diffusers import DiffusionPipeline", "", "pipe = DiffusionPipeline.from_pretrained({name}{pin})",
    ],
}  # fmt: skip


def _library(at: Located, base: str) -> Snippet | None:
    lines = _LIBRARIES.get(at.repo.library)
    if lines is None:
        return None
    name = f'"{at.repo.full_name}"'
    pin = f', revision="{at.revision}"' if _is_pinned(at) else ""
    if at.repo.library == "transformers" and at.repo.pipeline_tag:
        lines = [
            "from transformers import pipeline",
            "",
            f'pipe = pipeline("{_word(at.repo.pipeline_tag)}", {{name}}{{pin}})',
        ]
    head = ["import os", f'os.environ["HF_ENDPOINT"] = "{base}"  # before the first import', ""]
    text = "\n".join([*head, *lines]).replace("{name}", name).replace("{pin}", pin)
    return Snippet(at.repo.library, "loads what it needs", text, "python")


def _word(text: str) -> str:
    """Keep what a task name is made of: a card may say anything, and people paste this into a shell."""
    return "".join(letter for letter in text if letter.isalnum() or letter in "-_")


def _curl(at: Located, base: str, path: str) -> Snippet:
    address = base + rev_url(at.repo, "resolve", at.revision, path)
    return Snippet("curl", "one file", f"curl -L -O {shlex.quote(address)}")
