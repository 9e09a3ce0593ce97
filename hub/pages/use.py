"""Ways to get a repo's files, with this hub's address and the reader's own rights in them."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from hub.catalog.ggufs import Gguf
from hub.catalog.lookups import DEFAULT_REVISION, Located
from hub.catalog.models import Repo
from hub.pages.addresses import rev_url
from hub.pages.highlight import code_html
from hub.pages.templatetags.house import size
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


@dataclass(frozen=True, slots=True)
class _Place:
    """What every way begins with: the repo at a revision, this hub's address, and whether a token is needed."""

    at: Located
    base: str
    needs_token: bool

    @property
    def name(self) -> str:
        return self.at.repo.full_name

    @property
    def is_dataset(self) -> bool:
        return self.at.repo.type == Repo.Type.DATASET

    @property
    def pin(self) -> str:
        """The revision where it is not the usual one."""
        return self.at.revision if self.at.revision != DEFAULT_REVISION else ""

    @property
    def exports(self) -> str:
        """The lines of a shell that tell every client where this hub is, and who asks."""
        token = f"export HF_TOKEN=hf_…  # from {self.base}/settings/tokens\n" if self.needs_token else ""
        return f"export HF_ENDPOINT={shlex.quote(self.base)}\n{token}"

    @property
    def imports(self) -> list[str]:
        """The same for a program, before its first import."""
        lines = ["import os", f'os.environ["HF_ENDPOINT"] = "{self.base}"  # before the first import']
        return [*lines, 'os.environ["HF_TOKEN"] = "hf_…"', ""] if self.needs_token else [*lines, ""]


def snippets(
    request: HttpRequest, at: Located, largest: str, models: Sequence[Gguf] = (), best: Gguf | None = None
) -> list[Snippet]:
    """Return the ways that fit a repo, what most people want first; ``models`` are its GGUF files.

    ``best`` is the one that is advised, where their headers tell enough to advise one.
    """
    repo = at.repo
    closed = repo.private or bool(repo.gated) or settings.HUB_ANONYMOUS == "none"
    place = _Place(at, public_base(request), closed)
    ways = [_command_line(place), _python(place)]
    if models:
        model = best or _usual(models)
        ways = [_llama(place, model), *ways]
        ways += [_ollama(place, model)] if len(model.shards) == 1 else []
    ways += [_datasets(place)] if place.is_dataset else []
    ways += [way for way in (_library(place), _vllm(place)) if way and not models]
    return [*ways, _curl(place, largest)] if largest else ways


# Which file a client takes that is not told which.
_USUAL = ("Q4_K_M", "Q8_0")


def _usual(models: Sequence[Gguf]) -> Gguf:
    by_type = {model.file_type: model for model in reversed(models)}
    return next((by_type[name] for name in _USUAL if name in by_type), models[-1])


def _command_line(place: _Place) -> Snippet:
    words = ["hf", "download", place.name]
    words += ["--repo-type", "dataset"] if place.is_dataset else []
    words += ["--revision", place.pin] if place.pin else []
    return Snippet(_("hf command line"), _("all files"), place.exports + shlex.join(words))


def _python(place: _Place) -> Snippet:
    arguments = [repr(place.name)]
    arguments += ['repo_type="dataset"'] if place.is_dataset else []
    arguments += [f"revision={place.pin!r}"] if place.pin else []
    arguments += ['token="hf_…"'] if place.needs_token else []
    lines = [
        "from huggingface_hub import snapshot_download", "",
        f"folder = snapshot_download({', '.join([*arguments, f'endpoint={place.base!r}'])})",
    ]  # fmt: skip
    return Snippet("Python", "huggingface_hub", "\n".join(lines).replace("'", '"'), "python")


def _llama(place: _Place, model: Gguf) -> Snippet:
    tag = f":{_word(model.file_type)}" if model.file_type else ""
    command = shlex.join(["llama-server", "-hf", place.name + tag])
    return Snippet("llama.cpp", f"{model.file_type}, {size(model.size)}", place.exports + command)


def _ollama(place: _Place, model: Gguf) -> Snippet:
    path, name = model.path, model.path.rpartition("/")[2]
    fetch = shlex.join(["hf", "download", place.name, path, "--local-dir", "."])
    lines = [
        fetch, f"echo {shlex.quote('FROM ./' + path)} > Modelfile",
        shlex.join(["ollama", "create", _word(name.removesuffix(".gguf")).lower(), "-f", "Modelfile"]),
    ]  # fmt: skip
    return Snippet("Ollama", _("from the file"), place.exports + "\n".join(lines))


def _datasets(place: _Place) -> Snippet:
    pin = f', revision="{place.pin}"' if place.pin else ""
    lines = [
        *place.imports,
        "from datasets import load_dataset",
        "",
        f'data = load_dataset("{place.name}"{pin})',
    ]
    return Snippet("datasets", _("as tables"), "\n".join(lines), "python")


def _vllm(place: _Place) -> Snippet | None:
    is_talking = place.at.repo.pipeline_tag == "text-generation" and "safetensors" in place.at.repo.tags
    if not is_talking:
        return None
    words = ["vllm", "serve", place.name, *(["--revision", place.pin] if place.pin else [])]
    return Snippet("vLLM", _("an API server"), place.exports + shlex.join(words))


_LIBRARIES = {
    "transformers": ["from transformers import AutoModel", "", "model = AutoModel.from_pretrained({name}{pin})"],
    "sentence-transformers": [
        "from sentence_transformers import SentenceTransformer", "", "model = SentenceTransformer({name}{pin})",
    ],
    "diffusers": [
        "from diffusers import DiffusionPipeline", "", "pipe = DiffusionPipeline.from_pretrained({name}{pin})",
    ],
}  # fmt: skip


def _library(place: _Place) -> Snippet | None:
    repo = place.at.repo
    lines = _LIBRARIES.get(repo.library)
    if lines is None or place.is_dataset:
        return None
    pin = f', revision="{place.pin}"' if place.pin else ""
    if repo.library == "transformers" and repo.pipeline_tag:
        lines = [
            "from transformers import pipeline",
            "",
            f'pipe = pipeline("{_word(repo.pipeline_tag)}", {{name}}{{pin}})',
        ]
    text = "\n".join([*place.imports, *lines]).replace("{name}", f'"{place.name}"').replace("{pin}", pin)
    return Snippet(repo.library, _("loads what it needs"), text, "python")


def _word(text: str) -> str:
    """Keep what a task name is made of: a card may say anything, and people paste this into a shell."""
    return "".join(letter for letter in text if letter.isalnum() or letter in "-_.")


def _curl(place: _Place, path: str) -> Snippet:
    address = place.base + rev_url(place.at.repo, "resolve", place.at.revision, path)
    token = '-H "Authorization: Bearer $HF_TOKEN" ' if place.needs_token else ""
    return Snippet("curl", _("one file"), f"curl -L {token}-O {shlex.quote(address)}")
