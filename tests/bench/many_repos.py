"""``python -m tests.bench.many_repos NUMBER``: fill a database with repos on terms like those of a big hub."""

import os
import random
import sys
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


def main(number: int) -> None:
    """Write the rows in batches; the same number gives the same repos."""
    django.setup()
    # Models can be imported only once Django is set up.
    from django.db import connection  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from hub.accounts.models import Namespace  # noqa: PLC0415
    from hub.accounts.people import create_user  # noqa: PLC0415
    from hub.catalog.models import ObjectNetwork, Repo  # noqa: PLC0415
    from licenses.shipped import shipped_readings  # noqa: PLC0415
    from licenses.terms import Value  # noqa: PLC0415

    draw = random.Random(1)
    readings, now = shipped_readings(), timezone.now()
    spaces = [Namespace.objects.get(user=create_user(name=f"maker{one:03}")) for one in range(200)]
    asks = {"commercial": "commercial_use", "redistribute": "redistribution", "modify": "modification"}

    def row(network: ObjectNetwork, at: int) -> Repo:
        license_id = draw.choices(list(LICENSES), list(LICENSES.values()))[0]
        task, library, space = draw.choice(TASKS), draw.choice(LIBRARIES), draw.choice(spaces)
        reading = readings.get(license_id)
        settled = reading is not None and draw.random() < 0.85
        uses = [use for use, key in asks.items() if settled and reading and reading.value(key) is Value.YES]
        uses += EVERYTHING[3:] if len(uses) == 3 else []
        limits = [one.value for one in reading.thresholds] if settled and reading else [0]
        name = f"model-{at:06}"
        return Repo(
            network=network, namespace=space, type="model", name=name, full_name=f"{space.name}/{name}",
            key=f"{space.name}/{name}", private=draw.random() < PRIVATE_SHARE, license=license_id,
            clearance="clear" if settled else "held", pipeline_tag=task, library=library,
            tags=[text for text in (library, task, f"license:{license_id}", f"language:{at % 40}") if text],
            parameters=draw.randrange(10**8, 10**11), downloads=int(draw.paretovariate(1.1)), likes=at % 700,
            updated_at=now - timedelta(minutes=draw.randrange(10**6)), head=f"{at:040x}",
            concluded=[license_id] if settled else [], uses=uses, users_limit=min(limits, default=None),
            openness=(4 if len(uses) == 5 else 3 if uses else 2) if settled else 0,
        )  # fmt: skip

    for start in range(0, number, BATCH):
        networks = ObjectNetwork.objects.bulk_create(
            [ObjectNetwork() for _ in range(min(BATCH, number - start))]
        )
        Repo.objects.bulk_create([row(network, start + at) for at, network in enumerate(networks)])
    with connection.cursor() as cursor:
        # As the database does by itself after a while.
        cursor.execute("VACUUM ANALYZE catalog_repo")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
    main(int(sys.argv[1]))
