#include "base/bytes.h"
#include "rpc/wire.h"

#include <errno.h>

/* doc/http-grpc-status-mapping.md */
int rpc_code_of_http(unsigned status)
{
    switch (status) {
    case 400:
        return WEIR_RPC_INTERNAL;
    case 401:
        return WEIR_RPC_UNAUTHENTICATED;
    case 403:
        return WEIR_RPC_PERMISSION_DENIED;
    case 404:
        return WEIR_RPC_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
        return WEIR_RPC_UNAVAILABLE;
    default:
        return WEIR_RPC_UNKNOWN;
    }
}

/* doc/PROTOCOL-HTTP2.md, "Errors"; the numbers are those of RFC 9113 section 7. */
int rpc_code_of_h2(uint32_t error)
{
    switch (error) {
    case 5: /* STREAM_CLOSED has no row there */
        return WEIR_RPC_UNKNOWN;
    case 7: /* REFUSED_STREAM */
        return WEIR_RPC_UNAVAILABLE;
    case 8: /* CANCEL */
        return WEIR_RPC_CANCELLED;
    case 11: /* ENHANCE_YOUR_CALM */
        return WEIR_RPC_RESOURCE_EXHAUSTED;
    case 12: /* INADEQUATE_SECURITY */
        return WEIR_RPC_PERMISSION_DENIED;
    default:
        return WEIR_RPC_INTERNAL;
    }
}

int rpc_code_of_errno(int error)
{
    switch (-error) {
    case ENOMEM:
    case ENOBUFS:
    case EMSGSIZE:
        return WEIR_RPC_RESOURCE_EXHAUSTED;
    case EOPNOTSUPP:
        return WEIR_RPC_UNIMPLEMENTED;
    case EBADMSG:
    case EINVAL:
        return WEIR_RPC_INTERNAL;
    case ECANCELED:
        return WEIR_RPC_CANCELLED;
    case EPERM:
        return WEIR_RPC_FAILED_PRECONDITION;
    default:
        return WEIR_RPC_UNAVAILABLE;
    }
}

int rpc_code_parse(struct weir_bytes text)
{
    uint64_t code;
    if (bytes_u64(text, &code) < 0 || code > WEIR_RPC_UNAUTHENTICATED)
        return WEIR_RPC_UNKNOWN;
    return (int)code;
}

WEIR_API const char *weir_rpc_code_name(int code)
{
    static const char names[][20] = {
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    };
    return code >= 0 && code <= WEIR_RPC_UNAUTHENTICATED ? names[code] : names[WEIR_RPC_UNKNOWN];
}

size_t rpc_percent_encode(const char *text, size_t len, char *out)
{
    static const char digits[] = "0123456789ABCDEF";
    char *at = out;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c <= 0x7e && c != '%') {
            *at++ = (char)c;
            continue;
        }
        *at++ = '%';
        *at++ = digits[c >> 4];
        *at++ = digits[c & 15];
    }
    *at = '\0';
    return (size_t)(at - out);
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t rpc_percent_decode(char *text, size_t len)
{
    size_t to = 0;
    for (size_t at = 0; at < len; at++) {
        int high = text[at] == '%' && len - at > 2 ? digit(text[at + 1]) : -1;
        int low = high >= 0 ? digit(text[at + 2]) : -1;
        if (low >= 0) {
            text[to++] = (char)(high << 4 | low);
            at += 2;
        } else {
            text[to++] = text[at];
        }
    }
    text[to] = '\0';
    return to;
}
