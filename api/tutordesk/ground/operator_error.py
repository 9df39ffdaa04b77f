"""The error that ends a command, or the server's start, with a sentence for the operator.

The module imports nothing, because commands load it before the application.
"""


class OperatorError(Exception):
    """A failure that only the operator can mend. Its text says what happened and what to do, in whole sentences."""
