"""The catalogue as rows: loaded as often as one likes, with what people wrote left alone."""

import subprocess
import sys
import zipfile
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.utils import timezone

from licenses import edits, readings
from licenses.loader import load_catalogue, load_texts, load_upstream
from licenses.models import Alias, Document, License, Term, Threshold, UpstreamModel
from licenses.shipped import shipped_readings
from licenses.terms import Confidence, Reading, TextKey, Value
from licenses.terms import Term as ReadTerm
from licenses.terms import Threshold as ReadThreshold
from licenses.texts import NoTexts, fetch_texts, kept_texts, wanted_keys
from licenses.upstream import shipped_upstream
from tests.licenses import known

pytestmark = pytest.mark.django_db


def some(*names: str) -> dict[str, Reading]:
    return {name: shipped_readings()[name] for name in names}


def test_rows_read_back_as_what_shipped() -> None:
    load_catalogue(shipped_readings())
    kept = readings.all_readings()
    assert {one: replace(kept[one], aliases=(), documents=()) for one in kept} == {
        one.id: replace(one, aliases=(), documents=()) for one in shipped_readings().values()
    }
    assert set(kept["llama3.1"].aliases) == set(shipped_readings()["llama3.1"].aliases)


def test_loading_again_changes_nothing() -> None:
    first = load_catalogue(shipped_readings())
    load_upstream(shipped_upstream())
    stamps = dict(License.objects.values_list("slug", "updated_at"))
    pks = set(Threshold.objects.values_list("pk", flat=True)) | set(
        Alias.objects.values_list("pk", flat=True)
    )
    again, models = load_catalogue(shipped_readings()), load_upstream(shipped_upstream())
    assert first.made > 2000
    assert (again.made, again.changed, models.made, models.changed) == (0, 0, 0, 0)
    assert dict(License.objects.values_list("slug", "updated_at")) == stamps
    assert pks == set(Threshold.objects.values_list("pk", flat=True)) | set(
        Alias.objects.values_list("pk", flat=True)
    )


def test_an_upgrade_brings_new_readings_and_keeps_what_people_wrote() -> None:
    load_catalogue(some("mit", "llama3.1"))
    person = get_user_model()._default_manager.create(username="reviewer")
    row = License.objects.get(slug="llama3.1")
    edits.edit_license(of=row, changes={"name": "Llama 3.1, as we call it"})
    edits.edit_term(
        of=row, key="trademark", value=Value.NO, note="read again", passage="", by=person, at=timezone.now()
    )
    edits.set_thresholds(of=row, thresholds=[ReadThreshold("revenue", 5, "royalty", "EUR")])
    old = shipped_readings()["llama3.1"]
    new = replace(
        old,
        name="Llama 3.1 License",
        steward="Meta Platforms",
        thresholds=(),
        terms={
            "trademark": ReadTerm("trademark", Value.YES),
            "revocable": ReadTerm("revocable", Value.YES, "new"),
        },
    )
    done = load_catalogue({**some("mit"), "llama3.1": new})
    after = readings.all_readings()["llama3.1"]
    assert (after.name, after.steward) == ("Llama 3.1, as we call it", "Meta Platforms")
    assert after.value("trademark") is Value.NO and after.note("trademark") == "read again"
    assert after.value("revocable") is Value.YES
    assert [one.metric for one in after.thresholds] == ["revenue"]
    assert set(after.terms) == {"trademark", "revocable"}
    stated = Term.objects.get(license=row, key="trademark").stated
    assert stated is not None and stated["value"] == "yes"
    assert done.kept == 2


def test_a_person_who_reads_a_term_of_a_low_reading_makes_it_count() -> None:
    load_catalogue(some("internlm-license"))
    row = License.objects.get(slug="internlm-license")
    assert readings.all_readings()["internlm-license"].value("commercial_use") is Value.UNKNOWN
    person = get_user_model()._default_manager.create(username="reviewer")
    edits.edit_term(
        of=row,
        key="commercial_use",
        value=Value.CONDITIONAL,
        note="after registration",
        passage="apply",
        by=person,
        at=timezone.now(),
    )
    assert readings.all_readings()["internlm-license"].value("commercial_use") is Value.CONDITIONAL
    edits.take_back_term(term=Term.objects.get(license=row, key="commercial_use"))
    assert readings.all_readings()["internlm-license"].value("commercial_use") is Value.UNKNOWN


def test_a_text_from_an_upload_is_canonical_on_a_persons_word() -> None:
    load_catalogue(some("mrl"))
    row = License.objects.get(slug="mrl")
    person = get_user_model()._default_manager.create(username="reviewer")
    text = "Mistral AI Research License, as it came with a model; every word of it counts here.\n"

    def confirm(kind: str, words: str) -> Document:
        return edits.confirm_text(
            of=row, kind=kind, version="0.1", text=words, source="an upload", by=person, at=timezone.now()
        )

    assert readings.corpus().detect(text.encode()).licenses == ()
    first = confirm("license", text)
    assert confirm("license", text).pk == first.pk
    assert readings.corpus().detect(text.upper().encode()).licenses == ("mrl",)
    with pytest.raises(edits.BadEdit, match="kind is 'poem'"):
        confirm("poem", text)
    with pytest.raises(edits.BadEdit, match="no words"):
        confirm("license", "***")


def test_a_license_that_ships_no_more_stays() -> None:
    load_catalogue(some("mit", "isc"))
    load_catalogue(some("mit"))
    assert License.objects.get(slug="isc").shipped is False
    assert Term.objects.filter(license__slug="isc").exists()


def test_edits_that_name_no_field_or_term_are_refused() -> None:
    load_catalogue(some("mit"))
    row = License.objects.get(slug="mit")
    with pytest.raises(edits.BadEdit, match="colour is no field"):
        edits.edit_license(of=row, changes={"colour": "red"})
    with pytest.raises(edits.BadEdit, match="must be namespace/name"):
        edits.record_upstream(pattern="*/x", of=row, evidence="card", confidence=Confidence.HIGH)


def test_a_model_elsewhere_recorded_here_survives_an_upgrade() -> None:
    load_catalogue(shipped_readings())
    load_upstream(shipped_upstream())
    row = License.objects.get(slug="mit")
    edits.record_upstream(pattern="acme/base-*", of=row, evidence="card", confidence=Confidence.HIGH)
    edits.record_upstream(
        pattern="meta-llama/Llama-2-*", of=row, evidence="a contract", confidence=Confidence.HIGH
    )
    load_upstream(shipped_upstream()[:5])
    found = readings.upstream_index()
    assert getattr(found.find("acme/base-7b"), "license", "") == "mit"
    assert getattr(found.find("meta-llama/Llama-2-7b"), "license", "") == "mit"
    assert UpstreamModel.objects.filter(shipped=True, edited=False).count() <= 5


def test_texts_are_kept_by_hash_and_found_again() -> None:
    load_catalogue(shipped_readings())
    assert load_texts(known.texts(), shipped_readings(), source="test") == len(known.texts())
    assert load_texts(known.texts(), shipped_readings(), source="test") == 0
    corpus = readings.corpus()
    assert len(corpus) == Document.objects.count()
    assert corpus.detect(known.text_of("llama3.1").encode()).licenses == ("llama3.1",)
    row = Document.objects.get(license__slug="mit")
    assert len(row.sha256) == len(row.normalized_sha256) == 64 and "mit" in row.source


def test_the_command_loads_everything_and_says_what_it_did(tmp_path: Path) -> None:
    said = StringIO()
    call_command("load_licenses", stdout=said)
    assert License.objects.count() == 147 and UpstreamModel.objects.count() > 100
    assert "rows made" in said.getvalue()


def test_a_file_that_is_not_the_package_is_refused_in_words(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.whl"
    wrong.write_bytes(b"no archive")
    with pytest.raises(NoTexts, match=r"wrong\.whl is not the wheel of scancode-toolkit-mini"):
        fetch_texts(tmp_path / "texts", wheel=wrong)
    assert kept_texts(tmp_path / "texts") == {}
    with zipfile.ZipFile(tmp_path / "other.whl", "w") as archive:
        for key in wanted_keys():
            archive.writestr(f"licensedcode/data/licenses/{key}.LICENSE", "---\nkey: x\n---\nsome words\n")
    with pytest.raises(NoTexts, match=r"The texts in other\.whl are not those of"):
        fetch_texts(tmp_path / "texts", wheel=tmp_path / "other.whl")
    assert kept_texts(tmp_path / "texts") == {}
    with pytest.raises(CommandError, match="is not the wheel"):
        call_command("fetch_license_texts", wheel=wrong)


def test_the_pure_rooms_load_without_django() -> None:
    pure = "detect identify lineage openness policy upstream uses".split()
    code = f"import sys; import {', '.join('licenses.' + name for name in pure)}; sys.exit('django' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=settings.BASE_DIR, check=False)
    assert done.returncode == 0


def test_a_text_key_of_a_reading_is_one_of_the_package() -> None:
    keys = {document for one in shipped_readings().values() for document in one.documents}
    assert TextKey("license", "mit") in keys and len(keys) == 89
