"""What can go wrong when terms are decided on and agreed to.  The message is one line for the person who acted."""

from collections.abc import Sequence

from licenses.findings import Finding


class ReviewError(Exception):
    """Base of all: nothing was changed."""


class WrongState(ReviewError):
    """The case is not, or no longer, in a state in which this can be done; ``state`` is where it stands."""

    def __init__(self, message: str, state: str = "") -> None:
        super().__init__(message)
        self.state = state


class NotYours(ReviewError):
    """Nobody decides on what they wrote themselves, or acts for somebody else."""


class NeedsReason(ReviewError):
    """The act needs a reason code, a cited term or words; the message says which."""


class SecondPersonNeeded(ReviewError):
    """Another person has to give the second answer."""


class StaleTerms(ReviewError):
    """The terms are not those that the person was shown; they have to be read anew."""


class BadAnswer(ReviewError):
    """A field of an acceptance is missing or has a value that it cannot have; ``field`` names it."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


class UseRefused(ReviewError):
    """The license excludes this user: ``findings`` say by which term."""

    def __init__(self, message: str, findings: Sequence[Finding]) -> None:
        super().__init__(message)
        self.findings = tuple(findings)


class BadWaiver(ReviewError):
    """A waiver needs a policy that blocks or holds, a reason and an end in the future."""
