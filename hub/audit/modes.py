"""Settings that decide what is held: written down when they change, so that a date tells what they were then."""

from django.conf import settings
from django.utils import timezone

from hub.audit.acts import SETTING
from hub.audit.chain import append, system
from hub.audit.reading import setting_at

DECIDING = ("HUB_REVIEW", "HUB_REVIEWERS")


def note_settings() -> list[str]:
    """Add an entry for each deciding setting that is another than when it was last written down; returns which."""
    changed = []
    for name in DECIDING:
        value, before = str(getattr(settings, name)), setting_at(name, timezone.now())
        if value != before:
            data = {"value": value, "before": before}
            append(act=SETTING, actor=system("settings"), subject=f"setting:{name}", label=name, data=data)
            changed.append(name)
    return changed
