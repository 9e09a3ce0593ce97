"""Forms of people: signing up, tokens."""

from datetime import datetime, timedelta

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hub.accounts.models import Token
from hub.accounts.names import MAX_LENGTH, BadName, check_namespace
from hub.catalog.models import TokenScope
from hub.pages.saying import said

LIFETIMES = [("30", _("30 days")), ("90", _("90 days")), ("365", _("one year")), ("", _("no end"))]


class NamingForm(forms.Form):
    """The name of a new account."""

    name = forms.CharField(
        label=_("User name"), max_length=MAX_LENGTH,
        help_text=_("Letters, digits, dash, dot and underscore. It stands before the names of your models."),
    )  # fmt: skip

    def clean_name(self) -> str:
        """Apply the rules for names."""
        try:
            return check_namespace(self.cleaned_data["name"])
        except BadName as error:
            raise forms.ValidationError(said(error)) from None


class InviteForm(NamingForm):
    """For whom staff makes an account."""

    fullname = forms.CharField(label=_("Name to show"), max_length=200, required=False)
    email = forms.EmailField(
        label=_("Mail address"), required=False, help_text=_("For links to set a password, and notices.")
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["name"].help_text = _(
            "Letters, digits, dash, dot and underscore. It stands before the names of their models."
        )
        for field in self.fields.values():
            field.widget.attrs["autocomplete"] = "off"


class SignUpForm(NamingForm):
    """What a new person is asked."""

    email = forms.EmailField(label=_("Email"), required=False, help_text=_("Only to reset your password."))
    password = forms.CharField(
        label=_("Password"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 10 characters."),
    )  # fmt: skip
    invite = forms.CharField(label=_("Invitation code"), max_length=200)

    def __init__(self, *args: object, needs_invite: bool, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        if not needs_invite:
            del self.fields["invite"]

    def clean_password(self) -> str:
        """Apply the rules for passwords."""
        password: str = self.cleaned_data["password"]
        validate_password(password)
        return password


class TokenForm(forms.Form):
    """What a new token is to be."""

    name = forms.CharField(
        label=_("Name"),
        max_length=96,
        help_text=_("Where it will be used, such as “laptop” or “nightly build”."),
    )
    kind = forms.ChoiceField(
        label=_("May"), initial=Token.Kind.READ, widget=forms.RadioSelect,
        choices=[
            (Token.Kind.READ, _("read everything that I may read")),
            (Token.Kind.WRITE, _("read and write everything that I may")),
            (Token.Kind.FINE_GRAINED, _("only what is named below")),
        ],
    )  # fmt: skip
    permission = forms.ChoiceField(
        label=_("There it may"), required=False, initial=TokenScope.Permission.READ,
        choices=[(TokenScope.Permission.READ, _("read")), (TokenScope.Permission.WRITE, _("read and write"))],
    )  # fmt: skip
    targets = forms.CharField(
        label=_("Repositories and namespaces"), required=False, max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "harbour-lab\nharbour-lab/triage-notes"}),
        help_text=_("One per line: a namespace, a model, or datasets/name/of-a-data-set."),
    )  # fmt: skip
    days = forms.ChoiceField(label=_("Ends after"), choices=LIFETIMES, required=False, initial="90")

    def clean(self) -> dict[str, object]:
        """A token for named things needs names."""
        data: dict[str, object] = super().clean() or {}
        if data.get("kind") == Token.Kind.FINE_GRAINED and not self.lines:
            self.add_error("targets", _("Name at least one repository or namespace."))
        return data

    @property
    def lines(self) -> list[str]:
        """The named repos and namespaces."""
        text: str = self.cleaned_data.get("targets", "")
        return [line.strip() for line in text.splitlines() if line.strip()]

    @property
    def expires_at(self) -> datetime | None:
        """When the token ends."""
        days = self.cleaned_data.get("days")
        return timezone.now() + timedelta(days=int(days)) if days else None
