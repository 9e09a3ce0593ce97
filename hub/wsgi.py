"""The WSGI door that both gunicorn groups (web and bytes) open."""

import os

from django.core.wsgi import get_wsgi_application
from django.template import engines
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")

application = get_wsgi_application()

# Django imports views and templates at the first request.  gunicorn forks before that, and each process would then
# hold all of them for itself: 25 MB.
get_resolver().reverse_dict  # noqa: B018
engines.all()
