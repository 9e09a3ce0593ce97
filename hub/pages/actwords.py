"""How the acts that are written down in the log are called."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from hub.audit import acts
from hub.pages.saying import said

_NAMES: dict[str, Promise] = {
    acts.CLEARANCE: _("terms"),
    acts.REPO_DELETED: _("repository deleted"), acts.REPO_DISABLED: _("repository disabled or let go"),
    acts.ACCEPTED: _("terms accepted"), acts.ACCEPTANCE_WITHDRAWN: _("acceptance withdrawn"),
    acts.ACCEPTANCE_SUPERSEDED: _("acceptance superseded"), acts.ACCESS_DECIDED: _("access decided"),
    acts.SUSPENDED: _("suspended"), acts.REINSTATED: _("suspension lifted"),
    acts.POLICY_CHANGED: _("policy changed"), acts.WAIVED: _("waiver given"),
    acts.WAIVER_REVOKED: _("waiver taken back"), acts.READING_CHANGED: _("reading of a licence changed"),
    acts.TEXT_CONFIRMED: _("text of a licence confirmed"), acts.UPSTREAM_RECORDED: _("change upstream noted"),
    acts.REVIEWER_CHANGED: _("reviewers changed"), acts.ACCOUNT_MADE: _("account made"),
    acts.ACCOUNT_CHANGED: _("account closed or opened"), acts.ACCOUNT_LINK: _("link to set a password made"),
    acts.QUOTA: _("quota changed"), acts.ERASED: _("personal details erased"), acts.SETTING: _("setting changed"),
    acts.LINEAGE_CHANGED: _("lineage changed"), acts.DISCUSSION_STATUS: _("discussion opened or closed"),
    acts.PROPOSAL_MERGED: _("proposal merged"), acts.COMMENT_HIDDEN: _("comment hidden"),
}  # fmt: skip


def act_name(act: str) -> str:
    """Return what was done, in words; of a case it is the verb of the decision."""
    return str(_NAMES.get(act) or said(act.removeprefix(acts.REVIEW).replace("-", " ").replace("_", " ")))
