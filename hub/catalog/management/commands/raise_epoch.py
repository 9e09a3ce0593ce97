"""`manage.py raise_epoch`: make clients forget which chunks they have sent, as after a restore from a backup."""

from typing import Any

from django.core.management.base import BaseCommand

from hub.catalog import xet_tokens


class Command(BaseCommand):
    help = "Make clients forget which chunks this hub holds; to be run after a restore."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"epoch {xet_tokens.forget_all()}")
