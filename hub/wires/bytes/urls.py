"""The bytes doors."""

from functools import partial

from django.urls import path

from hub.wires import base
from hub.wires.bytes import views, zips

door = partial(base.door, views.translate)

app_name = "bytes"

urlpatterns = [
    path("get/<seg:ticket>", door(GET=views.download), name="download"),
    path("zip/<seg:ticket>", base.door(zips.translate, GET=zips.send), name="zip"),
    path("put/<seg:ticket>", door(PUT=views.upload, OPTIONS=views.preflight), name="upload"),
]
