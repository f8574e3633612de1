/* The process that keeps private keys: it opens their files, and signs what a TLS server signs in a handshake. */
#include "base/text.h"
#include "keys/impl.h"
#include "tbl/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rsa.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECURE_HEAP (512 * 1024) /* locked memory, should the system give as much */

struct process {
    struct keys *keys;
    int stop;
    int epoll; /* ways; each is looked at by one thread at a time */
    _Atomic unsigned ways;
    _Atomic bool over;
    pthread_t threads[LIMIT_KEYS_THREADS];
    unsigned thread_count;
};

/* --- what is signed --- */

/* RFC 8446 section 4.4.3: 64 spaces, the server's words, a zero and the digest of what was said. */
static bool is_verify(const uint8_t *text, size_t len)
{
    static const char words[] = "TLS 1.3, server CertificateVerify"; /* with its zero */
    if (len != 64 + sizeof(words) + 32 && len != 64 + sizeof(words) + 48)
        return false;
    for (unsigned i = 0; i < 64; i++)
        if (text[i] != ' ')
            return false;
    return memcmp(text + 64, words, sizeof(words)) == 0;
}

/* RFC 8422 section 5.4: both randoms, a named curve and a point on it. */
static bool is_key_exchange(const uint8_t *text, size_t len)
{
    return len > 68 && text[64] == 3 && len == 68u + text[67];
}

static const char *digest_name(unsigned bits)
{
    switch (bits) {
    case 224:
        return "SHA224";
    case 256:
        return "SHA256";
    case 384:
        return "SHA384";
    case 512:
        return "SHA512";
    default:
        return NULL;
    }
}

static int make_signature(EVP_PKEY *key, const struct keys_request *request,
                          struct keys_reply *reply)
{
    EVP_PKEY_CTX *ctx;
    size_t len = sizeof(reply->signature);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool ok = md && EVP_DigestSignInit_ex(md, &ctx, digest_name(request->digest), NULL, NULL, key,
                                          NULL) == 1;
    if (ok && request->padding == KEYS_PSS)
        ok = EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
    ok = ok && EVP_DigestSign(md, reply->signature, &len, request->text, request->len) == 1;
    EVP_MD_CTX_free(md);
    return ok ? (int)len : -EIO;
}

static int sign(struct keys *keys, const struct keys_request *request, struct keys_reply *reply)
{
    if (!is_verify(request->text, request->len) && !is_key_exchange(request->text, request->len))
        return -EPERM;
    EVP_PKEY *key = store_find(keys, request->id, false);
    if (!key)
        return -ENOKEY;
    bool rsa = EVP_PKEY_is_a(key, "RSA"), bare = EVP_PKEY_is_a(key, "ED25519");
    int rc = -EINVAL;
    if (rsa == (request->padding != KEYS_PLAIN) && request->padding <= KEYS_PSS &&
        bare == (digest_name(request->digest) == NULL))
        rc = make_signature(key, request, reply);
    EVP_PKEY_free(key);
    return rc;
}

static int have(struct keys *keys, const uint8_t id[KEYS_ID])
{
    EVP_PKEY *key = store_find(keys, id, true);
    EVP_PKEY_free(key);
    return key != NULL;
}

/* --- ways --- */

/* One request and its reply. false: the way is to be closed. */
static bool answer(struct process *process, int fd)
{
    struct keys_request request;
    struct keys_reply reply;
    const size_t head = offsetof(struct keys_request, text);
    ssize_t n = recv(fd, &request, sizeof(request), MSG_DONTWAIT | MSG_TRUNC);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n < (ssize_t)head || request.len > LIMIT_KEYS_TEXT || (size_t)n != head + request.len)
        return false;
    reply.number = request.number;
    if (request.what == KEYS_SIGN)
        reply.rc = sign(process->keys, &request, &reply);
    else if (request.what == KEYS_HAVE)
        reply.rc = have(process->keys, request.id);
    else
        return false;
    size_t len = offsetof(struct keys_reply, signature);
    if (request.what == KEYS_SIGN && reply.rc > 0)
        len += (size_t)reply.rc;
    return send(fd, &reply, len, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)len;
}

/* One event a time, to one thread. Taken out and put in, not modified: that is what orders one thread's last use of the descriptor before
 * another's close, for those who check (ThreadSanitizer knows it of EPOLL_CTL_ADD alone). A signature costs a hundred times the call. */
static bool watch_again(struct process *process, int fd)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.fd = fd};
    return epoll_ctl(process->epoll, EPOLL_CTL_DEL, fd, NULL) == 0 &&
           epoll_ctl(process->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void *serve_ways(void *arg)
{
    struct process *process = arg;
    struct epoll_event event;
    while (!atomic_load(&process->over)) {
        if (epoll_wait(process->epoll, &event, 1, -1) != 1)
            continue;
        int fd = event.data.fd;
        if (fd == process->stop) /* it is woken to see that it is over */
            continue;
        if (answer(process, fd) && watch_again(process, fd))
            continue;
        close(fd);
        atomic_fetch_sub(&process->ways, 1);
    }
    return NULL;
}

static int add_way(struct process *process, int fd)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.fd = fd};
    if (atomic_fetch_add(&process->ways, 1) < LIMIT_KEYS_WAYS &&
        epoll_ctl(process->epoll, EPOLL_CTL_ADD, fd, &event) == 0)
        return 0;
    atomic_fetch_sub(&process->ways, 1);
    close(fd);
    return -EMFILE;
}

/* Somebody hands in the far end of a way; whatever else he hands in is thrown away. */
static void open_door(struct process *process)
{
    char byte;
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(8 * sizeof(int))];
    } control;
    struct iovec iov = {&byte, 1};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    if (recvmsg(process->keys->door.inside, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
        return;
    for (struct cmsghdr *at = CMSG_FIRSTHDR(&message); at; at = CMSG_NXTHDR(&message, at)) {
        if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (at->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(at) + i * sizeof(int), sizeof(fd));
            if (count == 1)
                (void)add_way(process, fd);
            else
                close(fd);
        }
    }
}

/* --- the process --- */

static int start_threads(struct process *process)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned wanted =
        cores > 0 && cores < LIMIT_KEYS_THREADS ? (unsigned)cores : LIMIT_KEYS_THREADS;
    sigset_t set, before;
    (void)setpriority(PRIO_PROCESS, 0,
                      LIMIT_SHAKE_NICE); /* threads inherit it: the loops come first */
    sigfillset(&set);
    pthread_sigmask(SIG_SETMASK, &set, &before);
    while (process->thread_count < wanted &&
           pthread_create(&process->threads[process->thread_count], NULL, serve_ways, process) == 0)
        process->thread_count++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return process->thread_count > 0 ? 0 : -EAGAIN;
}

/* What has hung up stays so, and every thread sees it. */
static void stop_threads(struct process *process)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = process->stop};
    atomic_store(&process->over, true);
    (void)epoll_ctl(process->epoll, EPOLL_CTL_ADD, process->stop, &event);
    for (unsigned i = 0; i < process->thread_count; i++)
        pthread_join(process->threads[i], NULL);
}

static void watch_door(struct process *process)
{
    struct pollfd fds[] = {{.fd = process->stop, .events = POLLIN},
                           {.fd = process->keys->door.inside, .events = POLLIN}};
    while (!(fds[0].revents & (POLLIN | POLLHUP | POLLERR))) {
        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[1].revents & POLLIN)
            open_door(process);
        else if (fds[1].revents)
            fds[1].fd = -1; /* nobody is left outside; the stop is about to come */
    }
}

static void raise_files(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

int keys_run(struct keys *keys, int stop, void (*say)(void *arg, const char *text), void *arg)
{
    struct process process = {.keys = keys, .stop = stop, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    if (process.epoll < 0)
        return -errno;
    close(keys->door.outside);
    keys->door.outside = -1;
    (void)CRYPTO_secure_malloc_init(SECURE_HEAP, 32); /* OpenSSL keeps private numbers there */
    raise_files();
    keys->say = say;
    keys->say_arg = arg;
    store_look(keys);
    int rc = start_threads(&process);
    if (rc == 0) {
        keys_lock_down();
        watch_door(&process);
        stop_threads(&process);
    }
    store_forget(keys);
    close(process.epoll);
    return rc;
}

/* --- a look at the start --- */

static int look(const char *file, const EVP_PKEY *public, char *why, size_t why_size)
{
    EVP_PKEY *key = store_read(file, why, why_size);
    int rc = !key ? -EINVAL : EVP_PKEY_eq(key, public) == 1 ? 0 : -EKEYREJECTED;
    EVP_PKEY_free(key);
    if (rc == -EKEYREJECTED) {
        struct text t;
        text_init(&t, why, why_size);
        text_fmt(&t, "cannot use the key %s: it is not the certificate's", file);
        text_end(&t);
    }
    return rc;
}

int keys_check(struct keys *keys, size_t i, const EVP_PKEY *public, char *why, size_t why_size)
{
    int ends[2], status;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    pid_t pid = fork();
    if (pid == 0) {
        char words[400] = "";
        int rc = look(keys->files[i].name, public, words, sizeof(words));
        (void)!write(ends[1], words, strlen(words));
        _exit(rc < 0);
    }
    int error = pid < 0 ? errno : 0;
    close(ends[1]);
    ssize_t n = why_size > 0 && pid > 0 ? read(ends[0], why, why_size - 1) : 0;
    if (why_size > 0)
        why[n > 0 ? n : 0] = '\0';
    close(ends[0]);
    if (error)
        return -error;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EINVAL;
}
