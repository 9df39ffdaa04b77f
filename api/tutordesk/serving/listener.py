"""Binds the server's socket. It imports nothing heavy, so that mongod starts before the application loads."""

import socket

from tutordesk.ground.operator_error import OperatorError


def bind(host: str, port: int) -> socket.socket:
    """Return a socket bound to the address, before anything else is started. Raises OperatorError when it is in use."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise OperatorError(
            f"Cannot listen on {host}:{port} ({error.strerror}). Choose another --host or --port."
        ) from None
    return listener
