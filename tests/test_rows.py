"""Rows of hand-written SQL become the same objects that Django's own queries give."""

import pytest
from django.db import connection
from django.forms.models import model_to_dict

from hub.catalog.models import Card, Repo
from hub.rows import Columns
from tests.factories import make_repo, make_viewer


@pytest.mark.django_db
def test_a_row_read_by_hand_is_the_object_that_django_reads() -> None:
    repo = make_repo(make_viewer())
    columns = Columns(Repo, "r")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns.sql} FROM catalog_repo r WHERE r.id = %s", [repo.pk])
        row = cursor.fetchone()
    assert row is not None
    found = columns.read(row)
    known = Repo.objects.get(pk=repo.pk)
    assert found == known
    assert model_to_dict(found) == model_to_dict(known)
    assert {name: type(value) for name, value in vars(found).items()} == {
        name: type(value) for name, value in vars(known).items()
    }


def test_a_table_with_fields_that_django_converts_is_refused() -> None:
    with pytest.raises(TypeError, match="Card has fields that Django converts: data, warnings"):
        _ = Columns(Card, "k").sql
