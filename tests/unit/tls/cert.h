/* tests/unit/tls/cert.h: a certificate made for the occasion, its own authority, for localhost, 127.0.0.1 and ::1. */
#pragma once

/* Files, made once; removed at exit. */
const char *cert_file(void);
const char *cert_key_file(void);
