"""The git-lfs doors: behind ``/{repo}.git/info/lfs`` for each repo type, and the completion of uploads."""

from functools import partial

from django.urls import URLPattern, path

from hub.wires import base
from hub.wires.lfs import views
from hub.wires.lfs.reading import translate

door = partial(base.door, translate)

app_name = "lfs"

urlpatterns = [path("complete/<seg:ticket>", door(POST=views.complete), name="complete")]


def repo_doors(kind: str) -> tuple[list[URLPattern], str]:
    """Return the doors of one repo type, to be included under its namespace ``lfs-{kind}``."""
    extra = {"kind": kind}
    patterns = [
        path("<repo:repo>.git/info/lfs/objects/batch", door(POST=views.batch), extra, name="batch"),
        path("<repo:repo>.git/info/lfs/verify", door(POST=views.verify), extra, name="verify"),
        path("<repo:repo>.git/info/lfs/locks/verify", door(POST=views.locks), extra, name="locks"),
    ]
    return patterns, f"lfs-{kind}"
