#!/usr/bin/python3
"""base, proto and http read no clock, descriptor, environment or global: what their archives leave undefined is on a
list, and they hold no writable data. Usage: purity.py [BUILD-FOLDER], without one build-gcc"""

import pathlib
import re
import subprocess
import sys

MEMORY = {"malloc", "calloc", "realloc", "free"}
BYTES = {
    "memchr", "memcmp", "memcpy", "memmove", "memrchr", "memmem", "memset", "mempcpy", "rawmemchr",
    "strchr", "strcmp", "strlen", "strncmp", "strnlen", "strrchr", "strstr", "strspn", "strcspn",
    "strcasecmp", "strncasecmp",
}
FORMAT = {"snprintf", "vsnprintf", "__snprintf_chk", "__vsnprintf_chk"}
COMPILER = {
    "__assert_fail", "__stack_chk_fail", "_GLOBAL_OFFSET_TABLE_", "abort", "qsort", "bsearch",
    "__memcpy_chk", "__memmove_chk", "__memset_chk",
}
PLAIN = MEMORY | BYTES | FORMAT | COMPILER
# asctime and the like are not here on purpose: dates are computed, never asked of a library that reads TZ.
# OpenSSL reads files, clocks and memory of its own; beside it the TLS machine wants memory that processes share (ticket keys).
TLS = PLAIN | {"strdup", "strndup", "strerrordesc_np", "mmap", "mmap64", "munmap", "pthread_mutex_init", "pthread_mutex_destroy", "pthread_mutex_lock",
               "pthread_mutex_unlock", "timegm"}
ALLOWED = {"base": PLAIN, "proto": PLAIN, "http": PLAIN, "h2": PLAIN, "tls": TLS}
BELOW = {"base": [], "proto": ["base"], "http": ["proto", "base"], "h2": ["http", "proto", "base"], "tls": ["keys", "proto", "base"]}
LIBRARIES = {"h2": ("nghttp2_",), "tls": ("SSL_", "TLS_", "BIO_", "ERR_", "EVP_", "RAND_", "X509_", "ASN1_", "BN_", "NAME_CONSTRAINTS_", "PEM_", "X509V3_", "GENERAL_NAME", "OSSL_PARAM_", "OPENSSL_", "OCSP_", "OBJ_", "PEM_", "d2i_OCSP", "CRYPTO_memdup", "CRYPTO_memcmp", "a2i_")}
# Numbers as text are asked of the C library, which knows how to round.
ALLOWED["message"], BELOW["message"] = PLAIN | {"strtod", "strtof", "strchrnul"}, ["base"]
LIBRARIES["message"] = ("protobuf_c_", "json_")


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def symbols(archive, *options):
    """Names and types, without those of the archive's own making."""
    found = set()
    for line in run("nm", "--format=posix", *options, archive).splitlines():
        fields = line.split()
        if len(fields) >= 2 and not line.endswith(":"):
            found.add(fields[0])
    return found


def defined(archive):
    return symbols(archive, "--defined-only", "--extern-only")


def undefined(archive, others):
    have = defined(archive).union(*(defined(other) for other in others))
    return symbols(archive, "--undefined-only") - have


SECTION = re.compile(r"\]\s+(\.\S+)\s+\S+\s+[0-9a-f]+\s+[0-9a-f]+\s+([0-9a-f]+)\s+\S+\s+(\S*W\S*)\s")


def writable(archive):
    """Sections that are loaded, writable after relocation and not empty. Tables of pointers (.data.rel.ro) are not."""
    found, member = [], ""
    for line in run("readelf", "--section-headers", "--wide", archive).splitlines():
        if line.startswith("File:"):
            member = line[5:].strip()
        match = SECTION.search(line)
        if match and int(match.group(2), 16) > 0 and not match.group(1).startswith(".data.rel.ro"):
            found.append(f"{member}: {match.group(1)}, {int(match.group(2), 16)} bytes")
    return found


def archive_of(build, layer):
    return str(pathlib.Path(build) / "src" / layer / f"lib{layer}.a")


def judge(archive, others, allowed, prefixes=()):
    strange = sorted(name for name in undefined(archive, others) - allowed if not name.startswith(prefixes))
    lines = [f"{archive}: calls {name}()" for name in strange]
    return lines + [f"{archive}: writable data in {where}" for where in writable(archive)]


def problems(build):
    found = []
    for layer, allowed in ALLOWED.items():
        others = [archive_of(build, other) for other in BELOW[layer]]
        found += judge(archive_of(build, layer), others, allowed, LIBRARIES.get(layer, ()))
    return found


if __name__ == "__main__":
    lines = problems(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2] / "build-gcc")
    print("\n".join(lines))
    sys.exit(bool(lines))
