"""How a job says that trying again is of no use."""


class Refused(Exception):
    """The job can never succeed; the message is shown to the person who asked for it."""
