"""A small typed reader for settings that come from the environment.

Every setting is called ``HUB_*``.  A value is looked for in the process environment first and then in the file
``$HUB_DATA/hub.env``, which ``manage.py up`` writes (mode 0600) with the addresses and secrets of the servers it
started, so that ``manage.py`` commands typed in another terminal talk to the same hub.  Errors name the variable, the
value and what was expected.
"""

import os
from collections.abc import Mapping
from pathlib import Path

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off", ""})


class BadSetting(ValueError):
    """A setting has a value that the hub cannot use."""

    def __init__(self, name: str, value: str, expected: str) -> None:
        super().__init__(f"{name}={value!r} is not usable: expected {expected}.")


def read_env_file(path: Path) -> dict[str, str]:
    """Read ``KEY=VALUE`` lines; blank lines and lines that begin with ``#`` are skipped."""
    if not path.is_file():
        return {}
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {key.strip(): value.strip() for key, _, value in pairs}


class Env:
    """Typed access to one mapping of settings."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values

    def text(self, name: str, default: str = "") -> str:
        """Return the value as text; an empty value counts as not given."""
        return self.values.get(name) or default

    def flag(self, name: str, default: bool) -> bool:
        """Return a yes/no setting; raises BadSetting for any other word."""
        value = self.values.get(name)
        if value is None:
            return default
        if value.lower() in TRUE_WORDS:
            return True
        if value.lower() in FALSE_WORDS:
            return False
        raise BadSetting(name, value, "1 or 0")

    def number(self, name: str, default: int, *, at_least: int = 0, at_most: int | None = None) -> int:
        """Return a whole number between ``at_least`` and ``at_most``; raises BadSetting otherwise."""
        value = self.values.get(name)
        if not value:
            return default
        if not value.isascii() or not value.isdigit() or int(value) < at_least:
            raise BadSetting(name, value, f"a whole number of at least {at_least}")
        if at_most is not None and int(value) > at_most:
            raise BadSetting(name, value, f"a whole number of at most {at_most}")
        return int(value)

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        """Return one of ``allowed``; raises BadSetting otherwise."""
        value = self.text(name, default)
        if value not in allowed:
            raise BadSetting(name, value, "one of " + ", ".join(allowed))
        return value

    def words(self, name: str) -> list[str]:
        """Return a comma-separated list, without blanks."""
        return [word.strip() for word in self.text(name).split(",") if word.strip()]


def load(base_dir: Path) -> Env:
    """Return the settings of this process: the environment over ``$HUB_DATA/hub.env``."""
    data_dir = Path(os.environ.get("HUB_DATA") or base_dir / "var")
    return Env({**read_env_file(data_dir / "hub.env"), **os.environ})
