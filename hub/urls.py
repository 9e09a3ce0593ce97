"""The sheet of doors.  Paths are matched in their escaped form, see `hub.wires.base.RawPathMiddleware`."""

from django.contrib import admin
from django.urls import include, path

from hub import health
from hub.wires import converters

converters.register()

from hub.wires.hf.urls import file_doors  # noqa: E402  The path converters must be known before patterns use them.
from hub.wires.lfs.urls import repo_doors  # noqa: E402
from hub.wires.xet.urls import telemetry  # noqa: E402

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("-/admin/", admin.site.urls),
    path("api/", include("hub.wires.hf.urls")),
    path("lfs/", include("hub.wires.lfs.urls")),
    path("cas/", include("hub.wires.xet.urls")),
    path("v1/telemetry", telemetry),
    path("bytes/", include("hub.wires.bytes.urls")),
    path("datasets/", include(repo_doors("dataset"))),
    path("datasets/", include(file_doors("dataset"))),
    path("", include(repo_doors("model"))),
    path("", include(file_doors("model"))),
    path("", include("hub.pages.urls")),
]

handler400 = "hub.pages.errors.bad_request"
handler403 = "hub.pages.errors.forbidden"
handler404 = "hub.pages.errors.not_found"
handler500 = "hub.pages.errors.server_error"
