"""The Celery application.  Celery only rings the bell; what there is to do stands in `hub.catalog.models.Job`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
# Django's checks import every page and template, which no worker ever shows; `make check` runs them.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("hub")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["workers"])

# Beat only sends the names of tasks when it is time: it needs neither Django nor the tasks themselves.
clock = Celery("hub", fixups=[], set_as_current=False)
clock.config_from_object("hub.settings", namespace="CELERY")
