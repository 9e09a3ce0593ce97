"""How much a namespace may hold, and how much it does."""

from django.db import models

from hub.accounts.models import Namespace


class Quota(models.Model):
    """What was counted for one namespace, and the bound that staff has set for it, if any."""

    namespace = models.OneToOneField(Namespace, on_delete=models.CASCADE, related_name="quota")
    bound = models.BigIntegerField(null=True, help_text="bytes; 0: no bound; null: what the hub gives to all")
    used = models.BigIntegerField(default=0, help_text="bytes, when they were last counted")
    counted_at = models.DateTimeField(null=True)
    told = models.SmallIntegerField(
        default=0, help_text="the share of the bound, in percent, that was told of"
    )

    def __str__(self) -> str:
        return f"{self.namespace_id}: {self.used} of {self.bound}"
