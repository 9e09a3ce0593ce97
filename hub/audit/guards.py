"""What keeps entries from being changed: rights that the application's role does not have, and triggers."""

from dataclasses import dataclass

from django.conf import settings
from django.db import connection

TABLE, PERSONAL = "audit_entry", "audit_personal"
CHANGES = ("UPDATE", "DELETE", "TRUNCATE")
TRIGGERS = ("audit_fresh", "audit_sealed", "audit_unchanged", "audit_not_emptied")


@dataclass(frozen=True, slots=True)
class Guards:
    """Which of the two guards stand: rights of `CHANGES` that the role has, and triggers that are not at work."""

    role: str
    rights: tuple[str, ...]
    off: tuple[str, ...]

    def sentences(self) -> list[str]:
        """Say it for whoever asked."""
        if self.rights:
            said = [f"The hub's database role {self.role} could {_listed(self.rights)} entries: one database role does "
                    "everything; triggers stand in."]  # fmt: skip
        else:
            said = [f"The hub's database role {self.role} may only read entries and add some."]
        if self.off:
            said.append(f"TRIGGERS ARE MISSING OR OFF: {', '.join(self.off)}.")
        return [*said, *([] if self.off else ["Triggers refuse changes by every role."])]


def _listed(rights: tuple[str, ...]) -> str:
    return " and ".join(right.lower() for right in rights)


def application_role() -> str:
    """Return the database role that the hub's processes use."""
    return str(settings.APPLICATION_DATABASE["USER"]) or _value("SELECT current_user")


def found() -> Guards:
    """Look which guards stand in this database."""
    role = application_role()
    rights = tuple(
        right for right in CHANGES if _value("SELECT has_table_privilege(%s, %s, %s)", role, TABLE, right)
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(%s) AND tgenabled IN ('O', 'A')",
            [TABLE],
        )
        working = {name for (name,) in cursor.fetchall()}
    return Guards(role, rights, tuple(name for name in TRIGGERS if name not in working))


def restrict() -> bool:
    """Take from the application's role every right to change entries; says whether there is such a role.

    Runs as the owner of the tables, after each migration: rights by default cover all tables alike.
    """
    role = application_role()
    if role == _value("SELECT current_user"):
        return False
    name = connection.ops.quote_name(role)
    with connection.cursor() as cursor:
        cursor.execute(f"REVOKE UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON {TABLE} FROM {name}")
        cursor.execute(f"REVOKE UPDATE, TRUNCATE ON {PERSONAL} FROM {name}")
    return True


def _value(statement: str, *words: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(words))
        row = cursor.fetchone()
    return row[0] if row else ""
