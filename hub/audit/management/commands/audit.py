"""``manage.py audit``: check, export, erase."""

import argparse
import contextlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from hub.audit import erasing, guards, lines, modes, verifying


class Command(BaseCommand):
    help = "Check the audit log (verify), write it as lines of JSON (export), or take a person out of it (erase)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verify = verbs.add_parser("verify", help="check every entry, and say what guards the log")
        verify.add_argument("--file", type=Path, help="check a whole export instead of the database")
        verify.add_argument(
            "--anchor",
            action="append",
            default=[],
            metavar="PLACE:HASH",
            help="an entry's hash that was noted elsewhere",
        )
        export = verbs.add_parser("export", help="write entries as lines of JSON")
        for name in ("--since", "--until"):
            export.add_argument(
                name, type=moment, help="a date or moment such as 2026-01-31 or 2026-01-31T12:00Z"
            )
        for name in ("--act", "--subject", "--actor"):
            export.add_argument(name, default="")
        export.add_argument("--personal", action="store_true", help="with names, addresses and private notes")
        export.add_argument("--output", type=Path, help="a file instead of the standard output")
        erase = verbs.add_parser("erase", help="take a person's name, addresses and notes out of the log")
        erase.add_argument("--user", required=True, metavar="NAME", help="a user's name, or #NUMBER")
        verbs.add_parser(
            "guard", help="take rights on the log from the hub's database role, and note changed settings"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"_{options['verb']}")(options)

    def _verify(self, options: dict[str, Any]) -> None:
        anchors = dict(anchor(text) for text in options["anchor"])
        if options["file"]:
            with options["file"].open(encoding="utf-8") as file:
                self._tell(verifying.check(_lines_of(file), anchors))
            return
        found = guards.found()
        for sentence in found.sentences():
            self.stdout.write(sentence)
        self._tell(verifying.verify(anchors))
        if found.off:
            raise CommandError(
                "Run `manage.py migrate` or enable the triggers, and find out who switched them off."
            )

    def _tell(self, outcome: verifying.Outcome) -> None:
        if outcome.fault:
            raise CommandError(f"BROKEN. {outcome.fault}")
        self.stdout.write(
            f"{outcome.entries} entries follow each other; personal fields: {outcome.personal_kept} kept, "
            f"{outcome.personal_gone} erased."
        )
        if outcome.is_unexplained:
            raise CommandError(
                f"BROKEN. Personal fields of {outcome.personal_gone} entries are gone, and acts of erasing tell of "
                f"{outcome.personal_erased}."
            )
        if outcome.entries:
            self.stdout.write(f"head {outcome.entries}:{outcome.head} ({outcome.last_at})")

    def _export(self, options: dict[str, Any]) -> None:
        wanted = lines.Wanted(
            **{name: options[name] for name in ("since", "until", "act", "subject", "actor")}
        )
        opened = (
            options["output"].open("w", encoding="utf-8")
            if options["output"]
            else contextlib.nullcontext(self.stdout)
        )
        with opened as file:
            for line in lines.export(wanted, personal=options["personal"]):
                file.write(lines.dump(line) + "\n")

    def _erase(self, options: dict[str, Any]) -> None:
        person = _number_of(options["user"])
        if person is None:
            raise CommandError(f"Neither a user nor an entry of the audit log is called {options['user']}.")
        rows = erasing.erase(person)
        self.stdout.write(f"Personal fields of user {person} were erased from {rows} entries.")

    def _guard(self, options: dict[str, Any]) -> None:
        guards.restrict()
        for name in modes.note_settings():
            self.stdout.write(f"{name} is another than before; the audit log says so.")
        for sentence in guards.found().sentences():
            self.stdout.write(sentence)


def _number_of(name: str) -> int | None:
    if re.fullmatch(r"#[0-9]{1,18}", name):
        return int(name[1:])
    user = get_user_model()._default_manager.filter(username__iexact=name).first()
    return int(user.pk) if user else erasing.person_called(name)


def _lines_of(file: TextIO) -> Iterator[lines.Line]:
    number = 0
    while text := file.readline(lines.LONGEST_LINE + 2):
        number += 1
        yield lines.parse(text, number)


def moment(text: str) -> datetime:
    """Read a date or a moment; without a zone it is UTC."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date such as 2026-01-31") from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def anchor(text: str) -> tuple[int, str]:
    """Read ``PLACE:HASH`` as `verify` prints it; raises CommandError."""
    match = re.fullmatch(r"([0-9]{1,18}):([0-9a-f]{64})", text)
    if match is None:
        raise CommandError(f"{text!r} is no PLACE:HASH, such as the head that `audit verify` prints.")
    return int(match[1]), match[2]
