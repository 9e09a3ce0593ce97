"""The doors of the chunk store, behind the epoch and the domain of a token."""

from django.urls import include, path

from hub.wires.xet import grants, reconstructions, views
from hub.wires.xet.reading import door, not_offered

app_name = "xet"

# Clients that download send their telemetry to the root of the host, whatever the place of the chunk store.
telemetry = door(POST=views.telemetry)

_place = [
    path("v1/chunks/<seg:prefix>/<seg:name>", door(GET=views.chunk)),
    path("v1/xorbs/<seg:prefix>/<seg:name>", door(POST=views.xorb)),
    path("v1/xorb-grants/<seg:prefix>/<seg:name>", door(POST=grants.grant)),
    path("v1/xorb-commits/<seg:prefix>/<seg:name>/grant/<seg:ticket>", door(POST=grants.commit)),
    path("v1/shards", door(POST=views.shard)),
    path("v2/shards", door(POST=views.shard_stream)),
    path("v1/reconstructions/<seg:name>", door(GET=reconstructions.first)),
    path("v2/reconstructions/<seg:name>", door(GET=reconstructions.second)),
    path("v1/telemetry", telemetry),
]

urlpatterns = [
    path("span/<seg:ticket>", door(GET=reconstructions.span), name="span"),
    path("e<int:epoch>/<seg:domain>/", include(_place)),
    path("", not_offered),
    path("<rest:rest>", not_offered),
]
