/*
 * load/page_service.h: the services that bench measures when it is not given a site: a small page from memory, at once or
 * after a while.
 */
#pragma once

#include <weir/http.h>
#include <weir/server.h>

/* How it waits: a timer is a companion of the connection, just as the answer of another program would be. So under a
 * model with a place a connection the place is held meanwhile, and under `event` it is not. */
struct page_service {
    struct weir_service service; /* filled in by page_service_init() */
    struct weir_http http;
    unsigned delay_ms; /* 0: at once */
};

void page_service_init(struct page_service *, unsigned delay_ms);
