"""Asked-for work."""

import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone

from hub.catalog.models.repos import Repo


class Job(models.Model):
    """Asked-for work.  ``run`` is the fence: only the run that holds the lease may write results."""

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=30)
    subject = models.CharField(
        max_length=200, help_text="what the work is about; one open job per kind and subject"
    )
    repo = models.ForeignKey(Repo, null=True, on_delete=models.CASCADE, related_name="jobs")
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    run = models.IntegerField(default=0)
    failures = models.IntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True)
    progress = models.FloatField(default=0, help_text="0 to 1")
    step = models.CharField(max_length=200, blank=True, help_text="what is being done now")
    error = models.TextField(blank=True)
    result = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "subject"],
                condition=models.Q(state__in=["waiting", "running"]),
                name="one_open_job_per_subject",
            )
        ]
        indexes: ClassVar = [models.Index(fields=["state", "due_at"], name="job_due")]
