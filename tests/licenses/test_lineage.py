"""Obligations over graphs: circles, gaps, forms of one work, and laws that hold for any graph."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from licenses.ancestry import CARRIES, Edge, Node, Relation
from licenses.duties import Proof
from licenses.findings import Code, Severity
from licenses.lineage import Lineage, Outcome, judge
from licenses.shipped import shipped_readings
from licenses.terms import PERMISSIONS, Value, fold
from licenses.uses import Requester, check_use, fits, permitted_uses

READINGS = shipped_readings()
SOME = ("mit", "apache-2.0", "llama3.1", "gemma", "gpl-3.0", "cc-by-nc-4.0", "openrail++", "exaone")


def over(nodes: dict[str, tuple[str, ...] | None], *edges: Edge, **proof: object) -> Lineage:
    made = {key: Node(key, licenses) for key, licenses in nodes.items()}
    return judge("t/t", made, edges, Proof("t/t", **proof), READINGS)  # type: ignore[arg-type]


def unresolved(lineage: Lineage) -> list[str]:
    return [one.subject for one in lineage.findings if one.code is Code.LIN_UNRESOLVED]


def test_a_model_of_its_own_is_bound_by_its_own_license_only() -> None:
    lineage = over({"t/t": ("mit",)})
    assert (lineage.outcome, lineage.concluded, lineage.duties) == (Outcome.CLEAR, "MIT", frozenset())


def test_a_circle_holds() -> None:
    edges = Edge("t/t", "a/a", Relation.FINETUNE), Edge("a/a", "t/t", Relation.FINETUNE)
    lineage = over({"t/t": ("mit",), "a/a": ("mit",)}, *edges)
    assert lineage.outcome is Outcome.BLOCK and unresolved(lineage) == ["t/t"]
    itself = over({"t/t": ("mit",)}, Edge("t/t", "t/t", Relation.MERGE))
    assert itself.outcome is Outcome.BLOCK


def test_an_unknown_ancestor_holds_however_far_away() -> None:
    nodes: dict[str, tuple[str, ...] | None] = {"t/t": ("mit",), "a/a": ("mit",), "b/b": None}
    edges = Edge("t/t", "a/a", Relation.FINETUNE), Edge("a/a", "b/b", Relation.FINETUNE)
    assert unresolved(over(nodes, *edges)) == ["b/b"]
    del nodes["b/b"]
    assert unresolved(over(nodes, *edges)) == ["b/b"]
    teacher = over({"t/t": ("mit",)}, Edge("t/t", "c/c", Relation.DISTILLED))
    assert teacher.outcome is Outcome.BLOCK


def test_an_unknown_data_set_and_a_new_version_hold_nothing() -> None:
    for relation in (Relation.DATASET, Relation.NEW_VERSION):
        assert over({"t/t": ("mit",)}, Edge("t/t", "x/x", relation)).outcome is Outcome.CLEAR


def test_a_data_set_for_research_is_a_warning() -> None:
    lineage = over({"t/t": ("mit",), "d/d": ("cc-by-nc-4.0",)}, Edge("t/t", "d/d", Relation.DATASET))
    assert [(one.code, one.severity) for one in lineage.findings] == [(Code.FIELD, Severity.WARN)]
    assert lineage.concluded == "MIT"


def test_a_form_of_the_same_work_adds_and_removes_nothing() -> None:
    for relation in (Relation.QUANTIZED, Relation.CONVERTED, Relation.COPY):
        nodes: dict[str, tuple[str, ...] | None] = {"t/t": None, "a/a": ("mit",)}
        silent = over(nodes, Edge("t/t", "a/a", relation), texts=frozenset({"mit"}))
        assert (silent.outcome, silent.concluded) == (Outcome.CLEAR, "MIT")
        nodes["t/t"] = ("apache-2.0",)
        other = over(nodes, Edge("t/t", "a/a", relation), texts=frozenset({"mit"}))
        assert (other.outcome, other.concluded) == (Outcome.BLOCK, "MIT")


def test_a_quantization_may_keep_its_bases_name() -> None:
    nodes = {
        "me/Meta-Llama-3.1-8B-GGUF": Node("me/Meta-Llama-3.1-8B-GGUF", ("llama3.1",)),
        "meta-llama/Meta-Llama-3.1-8B": Node("meta-llama/Meta-Llama-3.1-8B", ("llama3.1",)),
    }
    edge = Edge("me/Meta-Llama-3.1-8B-GGUF", "meta-llama/Meta-Llama-3.1-8B", Relation.QUANTIZED)
    proof = Proof(
        "me/Meta-Llama-3.1-8B-GGUF",
        frozenset({"llama3.1"}),
        READINGS["llama3.1"].notice,
        "Built with Llama",
    )
    assert judge(edge.child, nodes, [edge], proof, READINGS).outcome is Outcome.CLEAR


def test_two_names_to_begin_with_are_a_conflict() -> None:
    nodes: dict[str, tuple[str, ...] | None] = {"t/t": ("mit",), "a/a": ("llama3.1",), "b/b": ("exaone",)}
    lineage = over(nodes, *(Edge("t/t", key, Relation.MERGE) for key in ("a/a", "b/b")))
    assert any(
        one.code is Code.LIN_CONFLICT and "'Llama' and with 'EXAONE'" in one.message
        for one in lineage.findings
    )
    nodes["b/b"] = ("llama3",)
    lineage = over(nodes, *(Edge("t/t", key, Relation.MERGE) for key in ("a/a", "b/b")))
    assert all(one.code is not Code.LIN_CONFLICT for one in lineage.findings)


def test_a_mislabelled_ancestor_holds_until_someone_concludes_it() -> None:
    nodes: dict[str, tuple[str, ...] | None] = {"t/t": ("gpl-3.0",), "a/a": ("exaone",), "b/b": ("gpl-3.0",)}
    edges = Edge("t/t", "a/a", Relation.FINETUNE), Edge("a/a", "b/b", Relation.FINETUNE)
    lineage = over(nodes, *edges, texts=frozenset({"gpl-3.0"}), changes_marked=True)
    assert lineage.outcome is Outcome.HOLD
    assert [(one.code, one.subject) for one in lineage.findings] == [(Code.LIN_RELICENSED, "a/a")]


def test_a_license_nobody_read_on_redistribution_is_not_hosted() -> None:
    lineage = over({"t/t": ("internlm-license",)})
    assert [(one.code, one.term) for one in lineage.findings] == [(Code.HUB_HOSTING, "redistribution")]
    assert over({"t/t": ()}).outcome is Outcome.BLOCK
    assert over({"t/t": ("no-such-license",)}).outcome is Outcome.BLOCK


def test_uses_and_thresholds_come_from_everything_above() -> None:
    free = over({"t/t": ("mit",)})
    assert {"commercial", "redistribute", "modify", "no-field-of-use-limits"} <= permitted_uses(free)
    assert fits(free, monthly_users=10**9) is True
    llama = over({"t/t": ("llama3.1",), "a/a": ("llama3.1",)}, Edge("t/t", "a/a", Relation.FINETUNE))
    assert "commercial" not in permitted_uses(llama)
    assert fits(llama, monthly_users=10**6) is True and fits(llama, monthly_users=10**9) is False
    assert fits(over({"t/t": ("internlm-license",)}), monthly_users=5) is None
    large = check_use(llama, Requester(sizes={("monthly-active-users", ""): 8e8}))
    assert [(one.code, one.severity) for one in large] == [(Code.THRESHOLD, Severity.BLOCK)]
    research = over({"t/t": ("cc-by-nc-4.0",)})
    assert [one.severity for one in check_use(research, Requester(commercial=True))] == [Severity.BLOCK]


def test_a_chain_far_longer_than_any_real_one_is_read_without_recursion() -> None:
    keys = ["t/t", *(f"a/{number}" for number in range(1500))]
    nodes = {key: Node(key, ("mit",)) for key in keys}
    edges = [Edge(child, parent, Relation.FINETUNE) for child, parent in pairwise(keys)]
    assert judge("t/t", nodes, edges, Proof("t/t", frozenset({"mit"})), READINGS).outcome is Outcome.CLEAR
    keys = ["t/t", *(f"a/{number}" for number in range(5000))]
    edges = [Edge(child, parent, Relation.FINETUNE) for child, parent in pairwise(keys)]
    assert judge("t/t", {}, edges, Proof("t/t"), READINGS).outcome is Outcome.BLOCK


graphs = st.builds(
    lambda licenses, links: (
        {f"n/{number}": Node(f"n/{number}", one) for number, one in enumerate(licenses)},
        [
            Edge(f"n/{min(a, b)}", f"n/{max(a, b)}", relation)
            for a, b, relation in links
            if a != b and max(a, b) < len(licenses)
        ],
    ),
    st.lists(st.one_of(st.none(), st.tuples(st.sampled_from(SOME))), min_size=1, max_size=8),
    st.lists(
        st.tuples(
            st.integers(0, 7), st.integers(0, 7), st.sampled_from(sorted(CARRIES | {Relation.ADAPTER}))
        ),
        max_size=12,
    ),
)


@settings(max_examples=150, deadline=None)
@given(graphs)
def test_nothing_is_permitted_that_any_carrying_ancestor_forbids(
    graph: tuple[dict[str, Node], list[Edge]],
) -> None:
    nodes, edges = graph
    lineage = judge("n/0", nodes, edges, Proof("n/0"), READINGS)
    above, left = {"n/0"}, ["n/0"]
    while left:
        key = left.pop()
        for edge in edges:
            if edge.child == key and edge.parent not in above:
                above.add(edge.parent)
                left.append(edge.parent)
    roots = [key for key in above if not any(edge.child == key for edge in edges)]
    for key in roots:
        licenses = nodes[key].licenses
        if licenses is None and key != "n/0":
            assert lineage.outcome is Outcome.BLOCK
        for one in licenses or ():
            if key == "n/0" or one in lineage.use_licenses:
                for term in PERMISSIONS:
                    theirs = READINGS[one].value(term)
                    assert fold(term, [lineage.values[term], theirs]) is lineage.values[term]
            else:
                # Only a same-license ancestor below it can make a root's own terms give way.
                assert any(
                    READINGS[other].value("derivatives_same_license") is Value.YES
                    for other in lineage.use_licenses
                )
