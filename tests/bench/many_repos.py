"""``python -m tests.bench.many_repos NUMBER``: fill a database with repos like those of a big hub.

Names, cards, terms, formats and sizes are drawn so that some values are in half of all repos and others in a few.
"""

import os
import random
import sys
from collections.abc import Sequence
from datetime import timedelta

import django

BATCH = 2_000
PRIVATE_SHARE = 0.05
# How often licenses bind: permissive ones lead, as they do on public hubs.
LICENSES = {
    "apache-2.0": 44, "mit": 14, "llama3.1": 8, "cc-by-nc-4.0": 7, "gemma": 5, "openrail": 4, "qwen-research": 3,
    "cc-by-4.0": 3, "llama3.2": 3, "other": 3, "bsd-3-clause": 2, "gpl-3.0": 2, "cc-by-sa-4.0": 1, "agpl-3.0": 1,
}  # fmt: skip
TASKS = [
    "text-generation",
    "text-to-image",
    "feature-extraction",
    "automatic-speech-recognition",
    "image-to-text",
    "",
]
LIBRARIES = ["transformers", "diffusers", "gguf", "sentence-transformers", "peft", ""]
EVERYTHING = ["commercial", "redistribute", "modify", "no-field-of-use-limits", "everywhere"]
FAMILIES = (
    "Anchor Barge Beacon Bollard Buoy Canal Capstan Cargo Clipper Compass Cooper Crane Cutter Delta Dike Dory"
    " Ferry Fjord Galleon Gantry Granary Harbour Hawser Jetty Keel Ketch Ledger Lighter Lock Mast Mooring Oar"
    " Packet Pier Pilot Pontoon Quay Rudder Sampan Schooner Scow Sextant Skiff Sloop Sluice Smack Spar"
    " Steelyard Tally Tide Tiller Trawler Tug Wharf"
).split()
SIZES = {
    "135M": 0.135,
    "0.6B": 0.6,
    "1.7B": 1.7,
    "4B": 4.3,
    "7B": 7.2,
    "8B": 8.03,
    "14B": 14.8,
    "32B": 32.8,
    "70B": 70.6,
}
ENDINGS = ["Instruct", "Base", "Chat", "it", "GGUF", "AWQ", "Embedding", "VL", "Coder", "Math"]
DTYPES = ["BF16", "F16", "F32", "Q4_K_M", "Q8_0", "FP8"]
LANGUAGES = ["en", "zh", "de", "fr", "es", "ja", "ko", "pt", "ru", "it", "nl", "pl", "ar", "hi", "sv", "fi"]
CARD_WORDS = 300


def vocabulary(draw: random.Random) -> Sequence[str]:
    """Return words of which the first are said far more often than the last."""
    syllables = [
        "ba",
        "ren",
        "tol",
        "mi",
        "shu",
        "gra",
        "del",
        "vo",
        "kin",
        "ste",
        "lor",
        "an",
        "pre",
        "fa",
        "zu",
    ]
    found = {"".join(draw.choices(syllables, k=draw.randrange(2, 5))) for _ in range(6000)}
    return ["model", "weights", "trained", "language", "scales", *sorted(found, key=lambda _: draw.random())]


def main(number: int) -> None:
    """Write the rows in batches; the same number gives the same repos."""
    django.setup()
    # Models can be imported only once Django is set up.
    from django.db import connection  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from hub.accounts.models import Namespace  # noqa: PLC0415
    from hub.accounts.people import create_user  # noqa: PLC0415
    from hub.catalog import facets, indexing, popularity, words  # noqa: PLC0415
    from hub.catalog.memory import DEVICES  # noqa: PLC0415
    from hub.catalog.models import ObjectNetwork, Repo  # noqa: PLC0415
    from licenses.shipped import shipped_readings  # noqa: PLC0415
    from licenses.terms import Value  # noqa: PLC0415

    draw = random.Random(1)
    readings, now = shipped_readings(), timezone.now()
    spaces = [Namespace.objects.get(user=create_user(name=f"maker{one:03}")) for one in range(200)]
    asks = {"commercial": "commercial_use", "redistribute": "redistribution", "modify": "modification"}
    said = vocabulary(draw)
    often = [1 / rank for rank in range(1, len(said) + 1)]

    def row(network: ObjectNetwork, at: int) -> Repo:
        license_id = draw.choices(list(LICENSES), list(LICENSES.values()))[0]
        task, library, space = draw.choice(TASKS), draw.choice(LIBRARIES), draw.choice(spaces)
        reading = readings.get(license_id)
        settled = reading is not None and draw.random() < 0.85
        uses = [use for use, key in asks.items() if settled and reading and reading.value(key) is Value.YES]
        uses += EVERYTHING[3:] if len(uses) == 3 else []
        limits = [one.value for one in reading.thresholds] if settled and reading else [0]
        family, size = draw.choice(FAMILIES), draw.choice(list(SIZES))
        name = f"{family}-{draw.randrange(1, 4)}.{draw.randrange(6)}-{size}-{draw.choice(ENDINGS)}-{at:06}"
        form, language = (
            draw.choice(["safetensors", "safetensors", "gguf", "onnx"]),
            LANGUAGES[int(draw.paretovariate(0.8)) % 16],
        )
        base = f"maker{draw.randrange(200):03}/{draw.choice(FAMILIES)}-{draw.randrange(30)}"
        own = {
            "format": form,
            "language": language,
            "dtype": draw.choice(DTYPES),
            "architecture": family.lower(),
        }
        own |= {"base": base} if draw.random() < 0.6 else {}
        takes = SIZES[size] * 0.7 + 1
        fits = [f"fits:{device}" for device in DEVICES if form == "gguf" and takes <= device]
        return Repo(
            network=network, namespace=space, type="model", name=name, full_name=f"{space.name}/{name}",
            key=f"{space.name}/{name}".lower(), private=draw.random() < PRIVATE_SHARE, license=license_id,
            clearance="clear" if settled else "held", pipeline_tag=task, library=library, base_models=[base],
            tags=[*filter(None, (form, library, task, language)), f"license:{license_id}", f"base_model:{base}"],
            traits=[f"{kind}:{value}" for kind, value in own.items()] + fits, reviewed=settled and draw.random() < 0.3,
            proof=draw.choices(["proven", "proving", "rejected", "small"], [90, 1, 1, 8])[0], used_storage=10**9,
            parameters=int(SIZES[size] * 10**9), downloads=int(draw.paretovariate(1.1)), likes=at % 700,
            trending=int(draw.paretovariate(0.9)) if draw.random() < 0.2 else 0,
            updated_at=now - timedelta(minutes=draw.randrange(10**6)), head=f"{at:040x}",
            concluded=[license_id] if settled else [], uses=uses, users_limit=min(limits, default=None),
            openness=(4 if len(uses) == 5 else 3 if uses else 2) if settled else 0,
        )  # fmt: skip

    def text(repo: Repo) -> tuple[object, ...]:
        body = " ".join(draw.choices(said, often, k=CARD_WORDS))
        beside = [repo.namespace.name, *repo.base_models, *repo.tags]
        return (
            repo.pk,
            repo.full_name,
            repo.name.upper(),
            words.vector([repo.name], beside),
            body,
            body[:160],
        )

    with connection.cursor() as cursor:
        # Made anew at the end, all at once.
        cursor.execute("DROP INDEX text_words, text_name_trigrams")
    for start in range(0, number, BATCH):
        networks = ObjectNetwork.objects.bulk_create(
            [ObjectNetwork() for _ in range(min(BATCH, number - start))]
        )
        made = Repo.objects.bulk_create([row(network, start + at) for at, network in enumerate(networks)])
        columns = [list(column) for column in zip(*map(text, made), strict=True)]
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO catalog_repotext (repo_id, name, short, vector, summary, card, version)"
                " SELECT a, b, c, d::tsvector || setweight(to_tsvector('english', e), 'C'), f, '', %s FROM"
                " unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[]) t(a, b, c, d, e, f)",
                [indexing.VERSION, *columns],
            )
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '512MB'")
        cursor.execute("CREATE INDEX text_words ON catalog_repotext USING gin (vector)")
        cursor.execute(
            "CREATE INDEX text_name_trigrams ON catalog_repotext USING gin (upper(name) gin_trgm_ops)"
        )
        # As the database does by itself after a while.
        cursor.execute("VACUUM ANALYZE catalog_repo, catalog_repotext")
    facets.refresh()
    popularity.refresh()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
    # Indexes are dropped and made by the owner of the tables.
    os.environ["HUB_DATABASE_ROLE"] = "owner"
    main(int(sys.argv[1]))
