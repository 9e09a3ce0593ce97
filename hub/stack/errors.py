"""What can go wrong before the hub stands, said in one sentence each."""


class StackError(RuntimeError):
    """The hub cannot be started; the message says why and what to do."""
