"""The fields of the form for a card's front matter, and what they send."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.http import QueryDict
from django.utils.translation import gettext as _

from hub.catalog.cardforms import KEYS, LISTS
from licenses.identifiers import known_licenses

TASKS = (
    "text-generation", "image-text-to-text", "text-to-image", "text-to-speech", "automatic-speech-recognition",
    "feature-extraction", "sentence-similarity", "text-classification", "token-classification", "text-ranking",
    "translation", "summarization", "question-answering", "fill-mask", "image-classification", "object-detection",
    "image-segmentation", "depth-estimation", "image-to-image", "image-to-video", "text-to-video", "audio-to-audio",
    "audio-classification", "any-to-any", "visual-question-answering", "tabular-classification", "tabular-regression",
    "time-series-forecasting", "reinforcement-learning", "robotics", "graph-ml", "other",
)  # fmt: skip
LIBRARIES = (
    "transformers", "diffusers", "sentence-transformers", "peft", "gguf", "mlx", "onnx", "timm", "vllm", "keras",
    "nemo", "speechbrain", "open_clip", "adapter-transformers", "sklearn", "fastai", "flair", "spacy",
)  # fmt: skip
RELATIONS = ("finetune", "adapter", "merge", "quantized")


@dataclass(frozen=True, slots=True)
class CardField:
    """One field: a choice, one line, or a list with a value per line."""

    key: str
    label: str
    hint: str
    values: list[str]
    choices: list[tuple[str, str]] = field(default_factory=list)
    advice: tuple[str, ...] = ()
    often: list[tuple[str, str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The value of a field of one or more lines."""
        return "\n".join(self.values)

    @property
    def is_list(self) -> bool:
        return self.key in LISTS

    @property
    def foreign(self) -> list[str]:
        """Values that the choices do not have; they stay unless another is chosen."""
        known = {value for value, _label in (*self.often, *self.choices)}
        return [value for value in self.values if self.choices and value not in known]


# What most cards declare, in the order of how often.
OFTEN = (
    "apache-2.0", "mit", "llama3.1", "llama3.2", "gemma", "cc-by-4.0", "cc-by-nc-4.0", "cc-by-sa-4.0", "openrail",
    "creativeml-openrail-m", "gpl-3.0", "bsd-3-clause", "other",
)  # fmt: skip


def license_choices() -> list[tuple[str, str]]:
    """Return every known licence once, by its name; those that most cards declare are left to `often_used`."""
    rest = {key: name for key, name in _licenses().items() if key not in OFTEN}
    return sorted(rest.items(), key=lambda item: item[1].lower())


def often_used() -> list[tuple[str, str]]:
    """Return the licences that most cards declare, the most frequent first."""
    known = _licenses()
    return [(key, known[key]) for key in OFTEN if key in known]


def _licenses() -> dict[str, str]:
    return {entry.id: entry.name for entry in known_licenses().values()}


def _texts() -> dict[str, tuple[str, str]]:
    return {
        "license": (_("Licence"), _("As the card declares it.")),
        "license_name": (_("Name of the licence"), _("Where the licence is “other”.")),
        "license_link": (_("Where its text is"), _("A file of this repository, or an address.")),
        "language": (_("Languages"), _("Codes such as en or de, one per line.")),
        "library_name": (_("Library"), _("What loads these files.")),
        "pipeline_tag": (_("Task"), _("What it is for.")),
        "base_model": (_("Made from"), _("Names of models, one per line.")),
        "base_model_relation": (_("How it was made from them"), ""),
        "tags": (_("Tags"), _("One per line.")),
        "datasets": (_("Trained on"), _("Names of data sets, one per line.")),
    }


def fields_of(values: Mapping[str, Sequence[str]], kind: str) -> list[CardField]:
    """Return the fields of the form, filled in; a data set has fewer."""
    choices = {
        "license": license_choices(),
        "base_model_relation": [(name, name) for name in RELATIONS],
    }
    advice = {"pipeline_tag": TASKS, "library_name": LIBRARIES}
    skipped = (
        {"base_model", "base_model_relation", "library_name", "pipeline_tag", "datasets"}
        if kind == "dataset"
        else set()
    )
    return [
        CardField(
            key,
            *_texts()[key],
            list(values.get(key, [])),
            choices.get(key, []),
            advice.get(key, ()),
            often_used() if key == "license" else [],
        )
        for key in KEYS
        if key not in skipped
    ]


def values_in(posted: QueryDict) -> dict[str, list[str]]:
    """Return what a form says under each key that it has."""
    return {
        key: [line.strip() for text in posted.getlist(key) for line in text.splitlines() if line.strip()]
        for key in KEYS
        if key in posted
    }
