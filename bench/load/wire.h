// Websocket frames as both ends need them: text out in one write, frames in from a buffer. Small messages alone.
#ifndef WIRE_H
#define WIRE_H
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { TEXT = 1, CLOSE = 8, PING = 9, PONG = 10, BUFFER = 1 << 18 };

// What one connection has received in part.
struct rest {
    unsigned char *bytes;
    size_t length;
};

static inline double now_s(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec + at.tv_nsec * 1e-9;
}

static inline double own_cpu_s(void) {
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return use.ru_utime.tv_sec + use.ru_stime.tv_sec + (use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1e-6;
}

static inline void die(const char *what) {
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(2);
}

// As many files as the system lets us have.
static inline void raise_file_limit(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

// Send one frame. What a peer does not take at once counts as an error: these messages are small and it should read.
static inline bool send_frame(int fd, int opcode, const char *data, size_t length, bool masked) {
    static unsigned char frame[BUFFER];
    static const unsigned char key[4] = {0x5a, 0xc3, 0x17, 0x9e};
    size_t head = 2;
    if (length > BUFFER - 16) return false;
    frame[0] = 0x80 | opcode;
    if (length < 126) {
        frame[1] = length;
    } else if (length < 65536) {
        frame[1] = 126, frame[2] = length >> 8, frame[3] = length & 255, head = 4;
    } else {
        frame[1] = 127, head = 10;
        for (int i = 0; i < 8; i++) frame[2 + i] = (uint64_t)length >> (56 - 8 * i);
    }
    if (masked) {
        frame[1] |= 0x80;
        memcpy(frame + head, key, 4);
        head += 4;
        for (size_t i = 0; i < length; i++) frame[head + i] = data[i] ^ key[i & 3];
    } else {
        memcpy(frame + head, data, length);
    }
    return send(fd, frame, head + length, MSG_NOSIGNAL) == (ssize_t)(head + length);
}

// Take one frame from the front of `bytes` (unmasked in place). Returns its whole length, 0 when it is not whole yet.
static inline size_t take_frame(unsigned char *bytes, size_t length, int *opcode, char **data, size_t *size) {
    if (length < 2) return 0;
    size_t head = 2, payload = bytes[1] & 127;
    if (payload == 126) {
        if (length < 4) return 0;
        payload = bytes[2] << 8 | bytes[3], head = 4;
    } else if (payload == 127) {
        if (length < 10) return 0;
        payload = 0, head = 10;
        for (int i = 2; i < 10; i++) payload = payload << 8 | bytes[i];
    }
    bool masked = bytes[1] & 0x80;
    size_t mask = head;
    if (masked) head += 4;
    if (length < head + payload) return 0;
    if (masked)
        for (size_t i = 0; i < payload; i++) bytes[head + i] ^= bytes[mask + (i & 3)];
    *opcode = bytes[0] & 15, *data = (char *)bytes + head, *size = payload;
    return head + payload;
}

// Read what has come behind what was kept. Returns the length of all in `buffer`, 0 for nothing new, -1 for the end.
static inline ssize_t receive(int fd, struct rest *rest, unsigned char *buffer) {
    memcpy(buffer, rest->bytes, rest->length);
    ssize_t got = recv(fd, buffer + rest->length, BUFFER - rest->length, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    return got <= 0 ? -1 : got + (ssize_t)rest->length;
}

static inline void keep(struct rest *rest, const unsigned char *bytes, size_t length) {
    if (length > rest->length || (length == 0 && rest->bytes)) rest->bytes = realloc(rest->bytes, length ? length : 1);
    memcpy(rest->bytes, bytes, length);
    rest->length = length;
}
#endif
