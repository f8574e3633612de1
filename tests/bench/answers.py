"""Looks at what servers answer: the same bytes of content from all, and their fields side by side."""
import gzip
import socket
import ssl
import subprocess

from measure import Failed


def _read_to(sock, data, until):
    while not until(data):
        piece = sock.recv(1 << 20)
        if not piece:
            break
        data += piece
    return data


def _fields(head):
    lines = head.decode("latin-1").split("\r\n")[1:]
    return {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines) if name}


def request(work, path=None, more=None):
    """The bytes wrk sends, but for the Host field."""
    headers = {**work.headers, **(more or {}), **({"Connection": "close"} if work.close else {})}
    lines = [f"GET {path or work.path} HTTP/1.1", "Host: 127.0.0.1"] + [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines + ["", ""]).encode()


def _dial(port, work):
    sock = socket.create_connection(("127.0.0.1", port), timeout=10)
    if not work.tls:
        return sock
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(sock, server_hostname="localhost")


def raw(port, work, path=None, more=None):
    """One answer: its head with the empty line, and its content as it came."""
    if work.streams:
        import http2  # pylint: disable=import-outside-toplevel
        return http2.raw(port, work, path, more)
    with _dial(port, work) as sock:
        sock.sendall(request(work, path, more))
        data = _read_to(sock, b"", lambda data: b"\r\n\r\n" in data)
        end = data.find(b"\r\n\r\n") + 4
        fields, status = _fields(data[:end]), data[9:12]
        if status == b"304":
            return data[:end], b""
        if "content-length" not in fields:
            raise Failed(f"no Content-Length: {data[:end]!r}")
        whole = end + int(fields["content-length"])
        data = _read_to(sock, data, lambda data: len(data) >= whole)
    return data[:end], data[end:]


def decoded(head, content):
    """The content without its coding."""
    coding = _fields(head).get("content-encoding", "identity")
    if coding == "gzip":
        return gzip.decompress(content)
    if coding == "br":
        return subprocess.run(["brotli", "-dc"], input=content, stdout=subprocess.PIPE, check=True).stdout
    return content


def codes_content(port, work, path):
    """Does it answer with a content coding?"""
    return "content-encoding" in _fields(raw(port, work, path)[0])


def compare(servers, work, paths):
    """Content and status must be the same from all. Sets answer_bytes; returns {server: fields of the first answer}."""
    seen = {}
    for path in paths:
        first = None
        for server in servers:
            head, content = raw(server.port, work, path)
            answer = (int(head[9:12]), decoded(head, content))
            first = first or answer
            if answer != first or answer[0] != work.status:
                raise Failed(f"{work.name}: {path} of {server.name} is not that of {servers[0].name}: "
                             f"{answer[0]}, {len(answer[1])} bytes, not {first[0]}, {len(first[1])} bytes")
            if server.name not in seen:
                seen[server.name] = _fields(head)
                server.answer_bytes = len(head) + len(content)
    return seen


def validator(port, work):
    """The entity tag a client of this server would send back; every server makes its own."""
    return _fields(raw(port, work)[0])["etag"]


def side_by_side(fields):
    """A table of fields by server."""
    names = sorted({name for of in fields.values() for name in of})
    rows = [["field", *fields]]
    rows += [[name, *(of.get(name, "-") for of in fields.values())] for name in names]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)
