"""Mails that somebody asked for on a page."""

import logging
import smtplib

from django.conf import settings
from django.contrib.auth.forms import PasswordResetForm
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import translation

from hub.accounts.models import User
from hub.accounts.people import reset_parts
from hub.catalog import jobs
from hub.catalog.models import Job

_log = logging.getLogger(__name__)


def reset(job: Job) -> None:
    """Mail a link to set a new password to every account of an address, then forget the address."""
    address, language = (str(job.payload.get(key, "")) for key in ("address", "language"))
    with translation.override(language or settings.LANGUAGE_CODE):
        mails = [_link_for(user) for user in PasswordResetForm().get_users(address) if isinstance(user, User)]
    for mail in mails:
        try:
            mail.send()
        except smtplib.SMTPRecipientsRefused:
            _log.warning("job %s: a mail server refused a recipient for good.", job.pk)
    with jobs.finishing(job, {}) as row:
        row.payload = {}
        row.save(update_fields=["payload"])


def _link_for(user: User) -> EmailMessage:
    context = {"user": user, "base": settings.HUB_PUBLIC_URL, **reset_parts(user)}
    subject = " ".join(render_to_string("people/reset_subject.txt", context).split())
    return EmailMessage(subject, render_to_string("people/reset_mail.txt", context), to=[user.email])
