"""Tables of the catalog, by subject."""

from hub.catalog.models.content import Inspection, RepoBlob, TensorDigest
from hub.catalog.models.git import Card, CommitRecord, GitObject, PathChange, TreeRow
from hub.catalog.models.listing import RepoText
from hub.catalog.models.notices import Collection, CollectionItem, Notice
from hub.catalog.models.people import AccessRequest, DownloadDay, Like, TokenScope
from hub.catalog.models.quotas import Quota
from hub.catalog.models.repos import ObjectNetwork, Ref, Repo, RepoRedirect, RetiredRepo
from hub.catalog.models.talk import Discussion, DiscussionEvent
from hub.catalog.models.terms import LineageEdge, PullRecord, RefusedPull
from hub.catalog.models.work import Job

__all__ = [
    "AccessRequest",
    "Card",
    "Collection",
    "CollectionItem",
    "CommitRecord",
    "Discussion",
    "DiscussionEvent",
    "DownloadDay",
    "GitObject",
    "Inspection",
    "Job",
    "Like",
    "LineageEdge",
    "Notice",
    "ObjectNetwork",
    "PathChange",
    "PullRecord",
    "Quota",
    "Ref",
    "RefusedPull",
    "Repo",
    "RepoBlob",
    "RepoRedirect",
    "RepoText",
    "RetiredRepo",
    "TensorDigest",
    "TokenScope",
    "TreeRow",
]
