"""Very many clients that have had one answer and stay: what each costs in memory."""
import contextlib
import resource
import socket

import answers
from measure import Failed, pss_bytes

FIRST = 100  # what these make a server set up is not counted as theirs


def raise_limit():
    """This process and those it starts may open as many files as is allowed at all."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def ask(sock, request, answer_bytes):
    """One request on a persistent connection; the answer must be whole."""
    sock.settimeout(30)
    sock.sendall(request)
    left = answer_bytes
    while left > 0:
        piece = sock.recv(65536)
        if not piece:
            raise Failed("an idle connection was closed")
        left -= len(piece)


@contextlib.contextmanager
def explained(server, socks):
    """A failure with the name of the server and how far it came."""
    try:
        yield
    except OSError as error:
        raise Failed(f"idle: {server.name} with {len(socks)} connections: {error}") from error


def measure(server, work):
    """Bytes of memory for each of work.connections idle connections; all must then still answer."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit < work.connections + 1000:
        raise Failed(f"{work.connections + 1000} descriptors are needed; the limit is {limit} (ulimit -n)")
    request, socks = answers.request(work), []
    with contextlib.ExitStack() as stack, explained(server, socks):
        for i in range(work.connections):
            if i == FIRST:
                before = pss_bytes(server.pid)
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=30))
            ask(sock, request, server.answer_bytes)
            socks.append(sock)
        after = pss_bytes(server.pid)
        for sock in socks:
            ask(sock, request, server.answer_bytes)
    return {"bytes_each": (after - before) / (work.connections - FIRST), "memory": after}
