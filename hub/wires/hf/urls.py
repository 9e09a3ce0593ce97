"""The Hub protocol's doors under ``/api/``, and the file doors behind a repo's address."""

from functools import partial

from django.urls import URLPattern, path

from hub.wires import base
from hub.wires.hf import (
    acceptances,
    audit,
    collections,
    commits,
    comparisons,
    conversions,
    copies,
    discussions,
    files,
    folders,
    licenses,
    lineage,
    people,
    policies,
    readings,
    recalls,
    repos,
    reviews,
    tags,
    terms,
    tokens,
    trees,
)
from hub.wires.hf.errors import translate

door = partial(base.door, translate)

app_name = "hf"


def whatever_method(handler: base.Handler) -> base.Handler:
    """Make a door that answers every method alike, where nothing else is."""
    return door(**dict.fromkeys(("GET", "POST", "PUT", "PATCH", "DELETE"), handler))


urlpatterns = [
    path("whoami-v2", door(GET=people.whoami)),
    path("validate-yaml", door(POST=commits.validate_yaml)),
    path("repos/create", door(POST=repos.create)),
    path("repos/delete", door(DELETE=repos.delete)),
    path("repos/move", door(POST=repos.move)),
    path("settings/repositories", door(GET=people.own_repos)),
    path("users/<seg:name>/overview", door(GET=people.user_overview)),
    path("users/<seg:name>/likes", door(GET=people.user_likes)),
    path("organizations/<seg:name>/overview", door(GET=people.organization_overview)),
    path("organizations/<seg:name>/members", door(GET=people.organization_members)),
    path("organizations/<seg:name>/settings/repositories", door(GET=people.own_repos)),
    path("collections", door(GET=collections.listing, POST=collections.create)),
    path(
        "collections/<seg:namespace>/<seg:tail>",
        door(GET=collections.show, PATCH=collections.change, DELETE=collections.delete),
    ),
    path("collections/<seg:namespace>/<seg:tail>/items", door(POST=collections.add_item)),
    path(
        "collections/<seg:namespace>/<seg:tail>/items/<seg:item>",
        door(PATCH=collections.change_item, DELETE=collections.remove_item),
    ),
    path("agent-harnesses", door(GET=people.harnesses)),
    path("telemetry/<rest:topic>", door(GET=people.telemetry)),
    path("spaces", door(GET=repos.nothing)),
    path("kernels", door(GET=repos.nothing)),
    path("spaces/<rest:rest>", whatever_method(repos.unsupported)),
    path("kernels/<rest:rest>", whatever_method(repos.unsupported)),
    path("buckets/<rest:rest>", whatever_method(repos.unsupported)),
    path("audit/permitted", door(GET=audit.permitted), name="audit-permitted"),
    path("audit/entries", door(GET=audit.entries), name="audit-entries"),
    path("recall", door(GET=recalls.recalled), name="recall"),
    path("recall/suspend", door(POST=recalls.suspend)),
    path("reviews", door(GET=reviews.queue)),
    path("reviews/<seg:case>", door(GET=reviews.show)),
    path("reviews/<seg:case>/assign", door(POST=reviews.assign)),
    path("reviews/<seg:case>/parents", door(POST=reviews.set_parent, DELETE=reviews.drop_parent)),
    path("reviews/<seg:case>/<seg:verb>", door(POST=reviews.act)),
    path("suspensions", door(GET=reviews.suspensions, POST=reviews.suspend)),
    path("suspensions/<seg:number>", door(DELETE=reviews.lift)),
    path("policies", door(GET=policies.listing)),
    path("policies/<seg:slug>", door(PUT=policies.write)),
    path("policies/<seg:slug>/dry-run", door(POST=policies.trial)),
    path("waivers", door(GET=policies.waivers, POST=policies.waive)),
    path("waivers/<seg:number>", door(DELETE=policies.revoke)),
    path("acceptances", door(GET=acceptances.listing)),
    path("acceptances/<seg:acceptance>", door(DELETE=acceptances.take_back)),
    path("notice", door(GET=terms.notice)),
    path("licenses", door(GET=licenses.listing, POST=readings.add)),
    path("licenses/<seg:license_id>", door(GET=licenses.detail)),
    path(
        "licenses/<seg:license_id>/terms/<seg:term>",
        door(PUT=readings.answer_term, DELETE=readings.take_back_term),
    ),
    path("licenses/<seg:license_id>/thresholds", door(PUT=readings.thresholds)),
    path("licenses/<seg:license_id>/names", door(PUT=readings.names)),
    path("licenses/<seg:license_id>/texts", door(POST=readings.confirm_text)),
    path("upstream-models", door(GET=readings.upstream, POST=readings.record_upstream)),
    path("licenses/<seg:license_id>/texts/<seg:sha256>", door(GET=licenses.text)),
    path("<kind:kind>-tags-by-type", door(GET=tags.by_type)),
    path("<kind:kind>-facets", door(GET=repos.counted)),
    path("<kind:kind>", door(GET=repos.listing)),
    path("<kind:kind>/<repo:repo>/tree/<rest:rest>", door(GET=trees.tree)),
    path("<kind:kind>/<repo:repo>/commits/<rest:rest>", door(GET=trees.commits)),
    path("<kind:kind>/<repo:repo>/paths-info/<seg:revision>", door(POST=trees.paths_info)),
    path("<kind:kind>/<repo:repo>/compare/<rest:rest>", door(GET=comparisons.compare)),
    path("<kind:kind>/<repo:repo>/refs", door(GET=trees.list_refs)),
    path(
        "<kind:kind>/<repo:repo>/branch/<seg:branch>",
        door(POST=trees.create_branch, DELETE=trees.delete_branch),
    ),
    path("<kind:kind>/<repo:repo>/tag/<seg:name>", door(POST=trees.create_tag, DELETE=trees.delete_tag)),
    path("<kind:kind>/<repo:repo>/preupload/<seg:revision>", door(POST=commits.preupload)),
    path("<kind:kind>/<repo:repo>/commit/<seg:revision>", door(POST=commits.create_commit)),
    path("<kind:kind>/<repo:repo>/super-squash/<seg:branch>", door(POST=commits.super_squash)),
    path("<kind:kind>/<repo:repo>/revision/<seg:revision>", door(GET=repos.info)),
    path("<kind:kind>/<repo:repo>/xet-read-token", door(GET=tokens.read_token)),
    path("<kind:kind>/<repo:repo>/xet-read-token/<rest:rest>", door(GET=tokens.read_token)),
    path("<kind:kind>/<repo:repo>/xet-write-token", door(GET=tokens.write_token)),
    path("<kind:kind>/<repo:repo>/xet-write-token/<rest:rest>", door(GET=tokens.write_token)),
    path("<kind:kind>/<repo:repo>/settings", door(PUT=repos.settings)),
    path("<kind:kind>/<repo:repo>/duplicate", door(POST=repos.duplicate)),
    path("<kind:kind>/<repo:repo>/convert", door(POST=conversions.ask)),
    path("<kind:kind>/<repo:repo>/convert/<seg:job>", door(GET=conversions.show, DELETE=conversions.cancel)),
    path("<kind:kind>/<repo:repo>/auth-check", door(GET=repos.auth_check)),
    path("<kind:kind>/<repo:repo>/auth-check/<seg:right>", door(GET=repos.auth_check)),
    path("<kind:kind>/<repo:repo>/lfs-files", door(GET=repos.lfs_files)),
    path("<kind:kind>/<repo:repo>/lfs-files/duplicate", door(POST=copies.duplicate)),
    path("<kind:kind>/<repo:repo>/discussions", door(GET=discussions.listing, POST=discussions.create)),
    path("<kind:kind>/<repo:repo>/discussions/<int:number>", door(GET=discussions.show)),
    path("<kind:kind>/<repo:repo>/discussions/<int:number>/<seg:verb>", door(POST=discussions.act)),
    path(
        "<kind:kind>/<repo:repo>/discussions/<int:number>/comment/<seg:comment>/<seg:verb>",
        door(POST=discussions.change_comment),
    ),
    path("<kind:kind>/<repo:repo>/like", door(POST=people.like, DELETE=people.unlike)),
    path("<kind:kind>/<repo:repo>/likers", door(GET=people.likers)),
    path(
        "<kind:kind>/<repo:repo>/acceptance",
        door(GET=acceptances.show, POST=acceptances.accept, DELETE=acceptances.withdraw),
    ),
    path("<kind:kind>/<repo:repo>/acceptance/texts/<seg:sha256>", door(GET=acceptances.text)),
    path("models/<repo:repo>/mlbom", door(GET=terms.bill)),
    path("<kind:kind>/<repo:repo>/license", door(GET=terms.show)),
    path("<kind:kind>/<repo:repo>/lineage", door(GET=lineage.show)),
    path("<kind:kind>/<repo:repo>/ask-access", door(POST=people.ask_access)),
    path("<kind:kind>/<repo:repo>/user-access-request/handle", door(POST=people.handle_access)),
    path("<kind:kind>/<repo:repo>/user-access-request/grant", door(POST=people.grant_access)),
    path("<kind:kind>/<repo:repo>/user-access-request/<seg:state>", door(GET=people.access_requests)),
    path("<kind:kind>/<repo:repo>", door(GET=repos.info)),
    path("<rest:rest>", whatever_method(repos.unknown)),
]


def file_doors(kind: str) -> list[URLPattern]:
    """Return the doors behind ``/{repo}/`` for one repo type."""
    extra = {"kind": kind}
    return [
        path("<repo:repo>/resolve/<rest:rest>", door(GET=files.resolve), extra),
        path("<repo:repo>/raw/<rest:rest>", door(GET=files.raw), extra),
        path("<repo:repo>/zip/<rest:rest>", door(GET=folders.lead), extra),
        path("<repo:repo>/integrity/<seg:revision>/SHA256SUMS", door(GET=folders.sums), extra),
    ]
