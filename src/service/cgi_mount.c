/* A folder of programs as it is configured: "PREFIX=FOLDER". */
#include "base/bytes.h"
#include "base/text.h"
#include "service/cgi.h"
#include "service/file.h"
#include "service/route.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool split(const char *mount, struct weir_bytes *out_prefix, const char **out_folder)
{
    const char *equals = strchr(mount, '=');
    if (!equals || equals[1] == '\0' || !route_prefix(mount, (size_t)(equals - mount), out_prefix))
        return false;
    *out_folder = equals + 1;
    return true;
}

/* Where programs lie within the site, their source would go out as files, unless the mount stands before just that. */
static bool is_exposed(const char *root, const char *folder, struct weir_bytes prefix)
{
    size_t len = strcmp(root, "/") == 0 ? 0 : strlen(root);
    if (strncmp(folder, root, len) != 0 || (folder[len] != '/' && folder[len] != '\0'))
        return false;
    struct weir_bytes below = bytes_str(folder + len);
    return !bytes_starts(below, prefix) || (below.len > prefix.len && below.at[prefix.len] != '/');
}

bool cgi_wrong(const char *mount, const char *root, char *why, size_t size)
{
    struct weir_bytes prefix;
    const char *name;
    struct text t;
    text_init(&t, why, size);
    if (!split(mount, &prefix, &name)) {
        text_fmt(&t, "it is PREFIX=FOLDER, as in /cgi-bin=/srv/cgi, not '%s'", mount);
        text_end(&t);
        return true;
    }
    char *folder = realpath(name, NULL);
    int error = folder ? 0 : errno;
    char *site = realpath(root, NULL);
    if (error)
        text_fmt(&t, "%s: %s (name a folder of programs)", name, strerrordesc_np(error));
    else if (site && is_exposed(site, folder, prefix))
        text_fmt(
            &t,
            "%s lies within the site, where the source of its programs could be read: mount it "
            "at %s, or move it elsewhere",
            name, folder + strlen(site));
    free(folder);
    free(site);
    text_end(&t);
    return t.len > 0;
}

void cgi_close(struct cgi *cgi)
{
    if (cgi->folder >= 0)
        close(cgi->folder);
    free(cgi->folder_name);
    free(cgi->root_name);
    *cgi = (struct cgi){.folder = -1};
}

int cgi_open(struct cgi *out, const char *mount, const char *root,
             const struct cgi_options *options, struct places *places)
{
    struct cgi cgi = {.folder = -1, .options = options, .places = places};
    const char *name;
    if (!split(mount, &cgi.prefix, &name))
        return -EINVAL;
    int rc = file_root_open(name, &cgi.folder);
    if (rc < 0)
        return rc;
    cgi.folder_name = realpath(name, NULL);
    cgi.root_name = realpath(root, NULL);
    if (!cgi.folder_name || !cgi.root_name) {
        rc = -errno;
        cgi_close(&cgi);
        return rc;
    }
    *out = cgi;
    return 0;
}
