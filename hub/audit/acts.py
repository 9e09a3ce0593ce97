"""The acts that are written down, and what the `data` of each says.

Subjects are opaque here: a repo's number as text, ``license:ID``, ``digest:SHA256``, ``policy:SLUG``, ``user:NUMBER``.
Names, addresses, user agents and private notes are personal and never stand in `data`.
"""

# What a repo's bytes are held to from now on.  The page "what did we permit" is made of these acts.
#   clearance, before: values of Repo.Clearance    consent: key of what is to be accepted, or ""
#   concluded: SPDX expression                     licenses: catalogue ids
#   case, commit, digest: of the case              policies: slugs that led to it    single_person: bool
CLEARANCE = "clearance"
REPO_DELETED = "repo.deleted"

# An administrator disabled a repo, or let go of it.  data: disabled (bool)
REPO_DISABLED = "repo.disabled"

# Acts on a case: "review." and the verb of the Decision.
#   case, digest, commit, from, to, reasons, cited, conditions, concluded, note (the public one), own, blind,
#   decision: the row's number                     personal: note (the private one)
REVIEW = "review."

# Acceptances.  subject: the repo; data: acceptance (number), key, documents, licenses, shown_sha256, method,
# organization, country, expires.                  personal: address, user_agent, fields
ACCEPTED = "acceptance.given"
ACCEPTANCE_WITHDRAWN = "acceptance.withdrawn"
ACCEPTANCE_SUPERSEDED = "acceptance.superseded"

# The owner's gate.  data: state, granted, request (number).  about: the person let in or kept out, and the reason.
ACCESS_DECIDED = "access.decided"

# data: kind, key, reason, final, repos (numbers of those that it reached)
SUSPENDED = "suspension.set"
REINSTATED = "suspension.lifted"

# data: policy, and what it says now (action, when, scope, enabled) / policy, justification, expires
POLICY_CHANGED = "policy.changed"
WAIVED = "waiver.given"
WAIVER_REVOKED = "waiver.revoked"

# The catalogue.  data: license, field, value, and before
READING_CHANGED = "license.changed"
TEXT_CONFIRMED = "license.text"
UPSTREAM_RECORDED = "upstream.recorded"

# Who may review.  data: reviewer, staff (bool).  subject: "user:NUMBER", about: whose right it is
REVIEWER_CHANGED = "reviewer.changed"

# An administrator made an account for somebody who was invited.  subject: "user:NUMBER", about: whose.  data: nothing
ACCOUNT_MADE = "account.made"

# An account was closed or opened again; an administrator made a link to set its password.  subject: "user:NUMBER",
# about: whose.  data: active (bool) / nothing
ACCOUNT_CHANGED = "account.changed"
ACCOUNT_LINK = "account.link"

# How many bytes a namespace may hold.  subject: "namespace:NUMBER", about: its user.  data: bound, before (null: what
# all have, 0: any amount)
QUOTA = "quota.changed"

# Personal fields that were erased.  data: person, rows
ERASED = "personal.erased"

# Settings that decide what is held.  subject: "setting:NAME"; data: value, before
SETTING = "setting.changed"

# What a reviewer said of where a model comes from.  data: parent, relation (null: taken back)
LINEAGE_CHANGED = "lineage.changed"

# Discussions and proposals of a repo, where somebody decides on what others wrote.  data: number, and the new status /
# base, commit (the one that merged it) / event (the hidden comment's row).  Their words are not repeated here.
DISCUSSION_STATUS = "discussion.status"
PROPOSAL_MERGED = "proposal.merged"
COMMENT_HIDDEN = "comment.hidden"
