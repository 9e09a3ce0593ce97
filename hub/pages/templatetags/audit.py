"""How entries of the audit log are shown."""

import json
from typing import Any

from django import template

register = template.Library()


@register.filter
def readable(data: Any) -> str:
    """Return JSON in lines, for people."""
    return json.dumps(data, indent=2, ensure_ascii=False)
