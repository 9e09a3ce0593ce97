"""Evidence in, grade out."""

import pytest

from licenses.openness import Evidence, Openness, Presence, Rung, components, grade
from licenses.shipped import shipped_readings
from licenses.terms import Value

READINGS = shipped_readings()
RIGHT = {"code": "apache-2.0", "data": "cdla-permissive-2.0", "document": "cc-by-4.0"}


def graded(
    down_to: int = 0, *, weights: tuple[str, ...] = ("apache-2.0",), gated: bool = False, **other: Evidence
) -> Openness:
    """Grade a model that has everything asked for by the classes from III down to this one."""
    evidence = {
        one.id: Evidence(Presence.PRESENT, RIGHT[one.type])
        for one in components()
        if one.mof_class >= down_to and not one.optional
    }
    evidence |= {name.replace("_", "-"): found for name, found in other.items()}
    return grade(evidence, weights=weights, gated=gated, readings=READINGS)


def test_the_framework_has_seventeen_components() -> None:
    assert len(components()) == 17
    assert [sum(one.mof_class == number for one in components()) for number in (3, 2, 1)] == [7, 5, 5]


@pytest.mark.parametrize(("down_to", "rung"), [(3, Rung.MOF_III), (2, Rung.MOF_II), (1, Rung.MOF_I)])
def test_a_class_is_reached_with_all_of_it_and_all_below(down_to: int, rung: Rung) -> None:
    found = graded(down_to)
    assert (found.rung, found.mof_class) == (rung, down_to)


def test_one_missing_component_keeps_a_model_below_its_class() -> None:
    found = graded(1, data_card=Evidence(Presence.CLAIMED))
    assert (found.rung, found.mof_class) == (Rung.OPEN_WEIGHTS, None)
    assert found.missing[3] == ("data-card",) and found.missing[2] == ()
    assert found.words == "open weights"


def test_a_paper_stands_in_for_a_report() -> None:
    report = Evidence(Presence.ABSENT)
    paper = Evidence(Presence.PRESENT, "cc-by-4.0")
    assert graded(3, technical_report=report).mof_class is None
    assert graded(3, technical_report=report, research_paper=paper).mof_class == 3


def test_an_ancestors_terms_cap_the_grade() -> None:
    assert graded(1, weights=("apache-2.0", "llama3.1")).rung is Rung.COMMUNITY_WEIGHTS
    assert graded(1, weights=("apache-2.0", "cc-by-nc-4.0")).rung is Rung.RESTRICTED_WEIGHTS
    assert graded(1, weights=("mit", "internlm-license")).rung is Rung.UNDETERMINED
    assert graded(1, weights=()).rung is Rung.UNDETERMINED


def test_gated_weights_do_not_count_for_a_class() -> None:
    assert graded(3, gated=True).mof_class is None


def test_without_weights_a_model_is_closed_and_without_evidence_undetermined() -> None:
    assert graded(3, parameters=Evidence(Presence.ABSENT)).rung is Rung.CLOSED
    assert grade({}, weights=("mit",), gated=False, readings=READINGS).rung is Rung.UNDETERMINED


def test_an_open_license_for_another_type_of_work_counts_with_a_word() -> None:
    found = graded(3, parameters=Evidence(Presence.PRESENT, "apache-2.0"))
    judged = next(one for one in found.components if one.component.id == "parameters")
    assert judged.counts and not judged.fits and "not written for data" in judged.reason
    fitting = graded(3, parameters=Evidence(Presence.PRESENT, "openmdw-1.0"))
    assert next(one for one in fitting.components if one.component.id == "parameters").fits


def test_open_source_is_never_said_and_data_information_never_decided() -> None:
    best = graded(1)
    assert "open source" not in best.words.lower()
    assert best.osaid == {"code": Value.YES, "parameters": Value.YES, "data-information": Value.UNKNOWN}
    assert graded(3).osaid["code"] is Value.NO
    assert graded(1, weights=("llama3.1",)).osaid["parameters"] is Value.NO
    assert graded(1, weights=("llama3.1", "mit")).osaid["parameters"] is Value.NO
