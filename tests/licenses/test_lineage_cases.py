"""The eighteen cases by which the lineage rules were drawn up, each with exactly the result that was asked for."""

from licenses.ancestry import Edge, Node, Relation
from licenses.duties import Proof
from licenses.findings import Code, Finding, Severity
from licenses.identify import Catalogue
from licenses.lineage import Lineage, Outcome, judge
from licenses.shipped import shipped_readings
from licenses.terms import Value
from licenses.upstream import UpstreamIndex, shipped_upstream
from licenses.uses import Requester, check_use, permitted_uses
from tests.licenses.known import corpus, text_of

READINGS = shipped_readings()
UPSTREAM = UpstreamIndex(shipped_upstream())
LLAMA_NOTICE = READINGS["llama3.1"].notice


def model(
    name: str,
    declared: tuple[str, ...],
    *bases: tuple[str, Relation],
    modality: str = "",
    evidence: str = "card",
    **proof: object,
) -> Lineage:
    nodes = {name: Node(name, declared, modality)}
    for base, _ in bases:
        known = UPSTREAM.find(base)
        nodes[base] = Node(base, (known.license,) if known else None, known.modality if known else "")
    edges = [Edge(name, base, relation, evidence) for base, relation in bases]
    return judge(name, nodes, edges, Proof(name, **proof), READINGS)  # type: ignore[arg-type]


def found(lineage: Lineage, severity: Severity) -> list[Code]:
    return sorted(one.code for one in lineage.findings if one.severity is severity)


def one_of(lineage: Lineage, code: Code) -> Finding:
    return next(one for one in lineage.findings if one.code is code)


def test_1_a_llama_finetune_labelled_apache_is_blocked_and_told_what_is_missing() -> None:
    lineage = model(
        "acme/SuperChat-8B",
        ("apache-2.0",),
        ("meta-llama/Llama-3.1-8B", Relation.FINETUNE),
        card="# SuperChat",
    )
    assert lineage.outcome is Outcome.BLOCK
    assert found(lineage, Severity.BLOCK) == [Code.LIN_RELICENSED]
    assert found(lineage, Severity.FIX) == [
        Code.DUTY_ATTRIB,
        Code.DUTY_NAME,
        Code.DUTY_NOTICE,
        Code.DUTY_TEXT,
    ]
    assert LLAMA_NOTICE in one_of(lineage, Code.DUTY_NOTICE).clear
    assert "'Built with Llama'" in one_of(lineage, Code.DUTY_ATTRIB).clear
    assert "'Llama'" in one_of(lineage, Code.DUTY_NAME).message
    assert "Llama 3.1" in one_of(lineage, Code.DUTY_TEXT).message
    assert one_of(lineage, Code.LIN_RELICENSED).term == "derivatives_same_license"
    assert all(
        one.license == "llama3.1" and one.subject and one.clear for one in lineage.findings if one.holds
    )


def test_2_the_same_with_everything_in_place_is_clear() -> None:
    lineage = model(
        "acme/Llama-SuperChat-8B",
        ("llama3.1",),
        ("meta-llama/Llama-3.1-8B", Relation.FINETUNE),
        texts=frozenset({"llama3.1"}),
        notices=f"{LLAMA_NOTICE}\n",
        card="Built  with\nLlama",
    )
    assert lineage.outcome is Outcome.CLEAR
    assert lineage.gate == "click"
    assert [(one.threshold.value, one.origin) for one in lineage.thresholds if one.threshold] == [
        (700_000_000, "meta-llama/Llama-3.1-8B")
    ]
    assert any(duty.kind == "use-policy" and duty.license == "llama3.1" for duty in lineage.duties)


def test_3_a_quantization_of_a_research_model_cannot_be_apache() -> None:
    lineage = model(
        "acme/Mistral-Large-Instruct-2411-GGUF",
        ("apache-2.0",),
        ("mistralai/Mistral-Large-Instruct-2411", Relation.QUANTIZED),
    )
    assert Code.LIN_RELICENSED in found(lineage, Severity.BLOCK)
    assert lineage.licenses == ("mrl",)
    assert lineage.concluded == "LicenseRef-mrl"
    assert lineage.values["commercial_use"] is Value.NO


def test_4_an_adapter_keeps_its_label_and_its_use_is_bound_by_the_base() -> None:
    base = ("Qwen/Qwen2.5-VL-3B-Instruct", Relation.ADAPTER)
    silent = model("acme/colreader", ("mit",), base, card="An adapter.")
    honest = model(
        "acme/colreader", ("mit",), base, card="An adapter; its base is under the Qwen Research License."
    )
    assert (silent.concluded, silent.effective_use) == ("MIT", "MIT AND LicenseRef-qwen-research")
    assert found(silent, Severity.FIX) == [Code.FIELD] and silent.outcome is Outcome.HOLD
    assert found(honest, Severity.WARN) == [Code.FIELD] and honest.outcome is Outcome.CLEAR
    for lineage in (silent, honest):
        assert lineage.values["commercial_use"] is Value.NO
        assert "commercial" not in permitted_uses(lineage)


def test_5_a_merge_unites_the_duties_of_its_parents() -> None:
    lineage = model(
        "acme/merged",
        ("mit",),
        ("meta-llama/Llama-3.1-8B", Relation.MERGE),
        ("google/gemma-2-9b", Relation.MERGE),
    )
    assert set(found(lineage, Severity.BLOCK)) == {Code.LIN_RELICENSED}
    assert lineage.concluded == "MIT AND LicenseRef-llama3.1 AND LicenseRef-gemma"
    duties = {(duty.kind, duty.text) for duty in lineage.duties}
    assert ("name", "Llama") in duties
    assert ("notice", READINGS["gemma"].notice) in duties and ("notice", LLAMA_NOTICE) in duties
    assert {duty.license for duty in lineage.duties if duty.kind == "use-policy"} == {"llama3.1", "gemma"}


def test_6_a_multimodal_llama_is_refused_to_users_in_the_union_and_a_text_model_is_not() -> None:
    vision, text = (
        model("acme/Llama-x", ("llama3.2",), (f"meta-llama/Llama-3.2-{size}", Relation.FINETUNE))
        for size in ("11B-Vision", "1B")
    )
    european, other = Requester(country="FR"), Requester(country="CH")
    refused = [one for one in check_use(vision, european) if one.severity is Severity.BLOCK]
    assert [one.code for one in refused] == [Code.GEO]
    assert refused[0].term == "geographic_exclusions" and refused[0].license == "llama3.2"
    assert check_use(vision, other) == () and check_use(text, european) == ()
    assert [one.severity for one in check_use(vision, Requester())] == [Severity.WARN]


def test_7_a_distilled_llama_under_mit_is_both() -> None:
    lineage = model(
        "deepseek-ai/DeepSeek-R1-Distill-Llama-70B",
        ("mit",),
        ("meta-llama/Llama-3.3-70B-Instruct", Relation.FINETUNE),
        texts=frozenset({"mit"}),
    )
    assert lineage.outcome is Outcome.BLOCK
    assert lineage.concluded == "MIT AND LicenseRef-llama3.3"
    assert {Code.DUTY_NAME, Code.DUTY_NOTICE} <= set(found(lineage, Severity.FIX))
    sibling = model(
        "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B",
        ("mit",),
        ("Qwen/Qwen2.5-32B", Relation.FINETUNE),
        texts=frozenset({"mit", "apache-2.0"}),
        changes_marked=True,
    )
    assert sibling.outcome is Outcome.CLEAR
    assert sibling.concluded == "MIT AND Apache-2.0"


def test_8_a_flux_lora_is_under_the_flux_license() -> None:
    lineage = model(
        "acme/style-lora", ("creativeml-openrail-m",), ("black-forest-labs/FLUX.1-dev", Relation.ADAPTER)
    )
    assert Code.LIN_RELICENSED in found(lineage, Severity.BLOCK)
    assert lineage.licenses == ("flux-1-dev-non-commercial-license",)
    assert lineage.values["commercial_use"] is Value.NO
    assert "outputs may be used commercially" in READINGS[lineage.licenses[0]].note("commercial_use")


def test_9_a_closed_finetune_of_a_share_alike_model_is_blocked() -> None:
    lineage = model(
        "acme/anime-xl",
        (),
        ("OnomaAIResearch/Illustrious-xl-early-release-v0", Relation.FINETUNE),
        offered=False,
    )
    assert set(found(lineage, Severity.BLOCK)) == {Code.LIN_RELICENSED, Code.HUB_HOSTING}
    assert one_of(lineage, Code.HUB_HOSTING).term == "network_clause"
    declared = Catalogue(READINGS).declared("other")
    assert declared.findings[0].code is Code.LIC_AMBIGUOUS


def test_10_a_lost_mit_notice_is_asked_for_and_bars_nothing_else() -> None:
    base = ("deepseek-ai/DeepSeek-V3-0324", Relation.FINETUNE)
    lineage = model("acme/big-3.0", ("apache-2.0",), base, texts=frozenset({"apache-2.0"}))
    assert [(one.code, one.severity) for one in lineage.findings] == [(Code.DUTY_NOTICE, Severity.FIX)]
    assert one_of(lineage, Code.DUTY_NOTICE).license == "mit"
    mended = model("acme/big-3.0", ("apache-2.0",), base, texts=frozenset({"apache-2.0", "mit"}))
    assert mended.outcome is Outcome.CLEAR


def test_11_gemma_3_cannot_be_relabelled_and_gemma_4_can() -> None:
    third = model("acme/g", ("cc-by-4.0",), ("google/gemma-3-12b-it", Relation.FINETUNE))
    assert found(third, Severity.BLOCK) == [Code.LIN_RELICENSED]
    assert {Code.DUTY_NOTICE, Code.DUTY_TEXT} <= set(found(third, Severity.FIX))
    assert any(duty.kind == "use-policy" for duty in third.duties)
    fourth = model(
        "acme/g",
        ("cc-by-4.0",),
        ("google/gemma-4-12b", Relation.FINETUNE),
        texts=frozenset({"cc-by-4.0", "apache-2.0"}),
        changes_marked=True,
    )
    assert fourth.outcome is Outcome.CLEAR and fourth.concluded == "CC-BY-4.0 AND Apache-2.0"


def test_12_training_on_outputs_follows_the_teachers_license() -> None:
    banned = model("acme/student", ("apache-2.0",), ("meta-llama/Meta-Llama-3-70B", Relation.DISTILLED))
    assert found(banned, Severity.BLOCK) == [Code.OUTPUT_TRAINING]
    llama = model("acme/student", ("apache-2.0",), ("meta-llama/Llama-3.1-70B", Relation.DISTILLED))
    assert found(llama, Severity.FIX) == [Code.DUTY_ATTRIB, Code.DUTY_NAME] and llama.outcome is Outcome.HOLD
    qwen = model("acme/student", ("apache-2.0",), ("Qwen/Qwen2.5-72B-Instruct", Relation.DISTILLED))
    assert found(qwen, Severity.FIX) == [Code.DUTY_ATTRIB]
    assert "'Built with Qwen'" in one_of(qwen, Code.DUTY_ATTRIB).message
    assert banned.concluded == llama.concluded == qwen.concluded == "Apache-2.0"


def test_13_a_large_company_is_reminded_of_the_display_duty() -> None:
    lineage = model("acme/coder", ("kimi-modified-mit",), ("moonshotai/Kimi-K2.5", Relation.FINETUNE))
    told = check_use(lineage, Requester(sizes={("revenue", "month"): 25_000_000}))
    assert [(one.code, one.severity) for one in told] == [(Code.THRESHOLD, Severity.WARN)]
    assert check_use(lineage, Requester(sizes={("revenue", "month"): 15_000_000})) == ()


def test_14_mit_with_a_paragraph_more_is_not_mit() -> None:
    text = text_of("mit") + (
        "\nOur only modification is that you shall prominently display the name of the model on the user interface.\n"
    )
    catalogue = Catalogue(READINGS)
    found_ = catalogue.identify(catalogue.declared("mit"), {"LICENSE": corpus().detect(text.encode())})
    assert [(one.code, one.severity) for one in found_.findings] == [(Code.LIC_ALTERED, Severity.FIX)]
    assert (
        "kimi-modified-mit" in found_.findings[0].clear and "minimax-modified-mit" in found_.findings[0].clear
    )
    assert "prominently display" in found_.findings[0].message
    assert found_.detected == () and not found_.agrees


def test_16_gpl_cannot_be_merged_with_further_restrictions() -> None:
    nodes = {
        "acme/m": Node("acme/m", ("gpl-3.0",)),
        "a/gpl": Node("a/gpl", ("gpl-3.0",)),
        "b/rail": Node("b/rail", ("openrail++",)),
    }
    edges = [Edge("acme/m", parent, Relation.MERGE) for parent in ("a/gpl", "b/rail")]
    lineage = judge("acme/m", nodes, edges, Proof("acme/m"), READINGS)
    assert Code.LIN_CONFLICT in found(lineage, Severity.BLOCK)
    assert "no further restrictions" in one_of(lineage, Code.LIN_CONFLICT).message


def test_17_an_id_and_a_name_that_disagree_are_left_to_the_text() -> None:
    catalogue = Catalogue(READINGS)
    declared = catalogue.declared("apple-amlr", name="apple-sample-code-license")
    assert [one.code for one in declared.findings] == [Code.LIC_AMBIGUOUS]
    assert "the text decides" in declared.findings[0].message


def test_18_likeness_is_a_question_and_no_verdict() -> None:
    lineage = model(
        "acme/big",
        ("apache-2.0",),
        ("deepseek-ai/DeepSeek-V3", Relation.RESEMBLES),
        evidence="architecture and tensor shapes",
    )
    assert [(one.code, one.severity) for one in lineage.findings] == [(Code.LIN_UNRESOLVED, Severity.FIX)]
    assert "resembles deepseek-ai/DeepSeek-V3" in lineage.findings[0].message
    assert lineage.concluded == "Apache-2.0"
