// The load: pairs that play duels over websockets. It says on stdout, in lines of JSON, when what it measures begins
// and ends; whoever started it counts the server's CPU in between, and writes a line to end it.
#define _GNU_SOURCE
#include "load.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>

#define AGAIN_S 0.2

enum { EVENTS = 512, ENTERING_MAX = 20 };

struct options options = {.pairs = 1, .questions = 20, .window = 64, .warm_s = 1, .seconds = 3, .topic = "General"};
struct counts counts;

static struct pair *pairs;
static struct player **ready;  // those who may answer now, at a fixed rate
static int poll_fd, entered, ready_count, connected, opened, total;
static struct player *first_again, *last_again;  // refused ones, in the order of their turns
static long owed;
static bool measuring;

void may_answer(struct player *player) {
    if (options.rate == 0) {
        answer(player, now_s());
    } else if (owed > 0) {
        owed--, counts.late++;
        answer(player, now_s());
    } else {
        ready[ready_count++] = player;
    }
}

// Ask once more in a moment: the server said that this may help.
void later(struct player *player) {
    player->again_at = now_s() + AGAIN_S;
    player->next = NULL;
    if (first_again) last_again->next = player;
    else first_again = player;
    last_again = player;
}

void match_started(struct pair *pair) {
    counts.started++;
    if (entered < options.pairs) enter_duel(&pairs[entered++]);
    else if (options.matches && counts.started + ENTERING_MAX <= options.matches) enter_duel(pair);
}

// Pairs come one after the other, and never all in one moment.
static void enter_first(void) {
    while (entered < options.pairs && entered < ENTERING_MAX) enter_duel(&pairs[entered++]);
}

static void watch(struct player *player, int operation, int events) {
    struct epoll_event event = {.events = events, .data.ptr = player};
    if (epoll_ctl(poll_fd, operation, player->fd, &event)) die("epoll_ctl");
}

static void open_next(void) {
    struct player *player = &pairs[opened / 2].players[opened % 2];
    struct sockaddr_in address = {.sin_family = AF_INET};
    int on = 1;
    player->pair = &pairs[opened / 2];
    player->seat = opened % 2;
    // Pairs go round the nodes, of one that is split the second is at the next node.
    player->port = options.ports[(opened / 2 + (options.split ? player->seat : 0)) % options.nodes];
    opened++;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(player->port);
    player->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (player->fd < 0) die("socket");
    setsockopt(player->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    // Closed by a reset: no port stays taken for the next run.
    setsockopt(player->fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
    if (connect(player->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) die("connect");
    watch(player, EPOLL_CTL_ADD, EPOLLOUT);
}

static void upgrade(struct player *player) {
    char head[512];
    int length = snprintf(head, sizeof head,
                          "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                          "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                          "Sec-WebSocket-Version: 13\r\n%s\r\n",
                          player->port,
                          options.deflate ? "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n" : "");
    if (send(player->fd, head, length, MSG_NOSIGNAL) != length) die("cannot connect");
    player->stage = UPGRADING;
    watch(player, EPOLL_CTL_MOD, EPOLLIN);
}

static void on_frame(struct player *player, int opcode, char *data, size_t size) {
    if (opcode == PING) {
        send_frame(player->fd, PONG, data, size, true);
    } else if (opcode == CLOSE) {
        fault("the server closes", size > 2 ? data + 2 : "");
    } else if (size == 1 && data[0] == '2') {
        send_frame(player->fd, TEXT, "3", 1, true);
    } else if (size && data[0] == '0') {
        send_frame(player->fd, TEXT, "40", 2, true);
        player->stage = ENTERING;
    } else if (size > 2 && data[0] == '4' && data[1] == '0') {
        // The CONNECT is answered. Some servers say welcome before.
    } else if (player->stage == READY) {
        on_message(player, data, size);
    } else if (player->stage == ENTERING && size > 12 && !memcmp(data, "42[\"welcome\"", 12)) {
        player->stage = READY;
        connected++;
        if (opened < total) open_next();
    }
}

static void on_readable(struct player *player) {
    static unsigned char buffer[BUFFER + 1];
    ssize_t length = receive(player->fd, &player->rest, buffer);
    size_t used = 0, taken, size;
    int opcode;
    char *data;
    if (length < 0) {
        fault("the connection is lost", "");
        close(player->fd);
        return;
    }
    if (length == 0) return;
    if (player->stage == UPGRADING) {
        unsigned char *end = memmem(buffer, length, "\r\n\r\n", 4);
        if (memcmp(buffer, "HTTP/1.1 101", length < 12 ? length : 12)) buffer[length] = 0, fault("refused", (char *)buffer);
        if (end) used = end + 4 - buffer, player->stage = ENTERING;
    }
    if (player->stage != UPGRADING)
        while ((taken = take_frame(buffer + used, length - used, &opcode, &data, &size))) {
            used += taken;
            on_frame(player, opcode, data, size);
        }
    keep(&player->rest, buffer + used, length - used);
}

// Serve the sockets until `until`, or for one event where that is sooner. Returns whether stdin has something.
static bool serve(double until) {
    struct epoll_event events[EVENTS];
    double now = now_s(), wait;
    for (; first_again && first_again->again_at <= now; first_again = first_again->next) ask_again(first_again);
    if (first_again) until = fmin(until, first_again->again_at);
    wait = fmax(until - now, 0);
    struct timespec span = {.tv_sec = wait, .tv_nsec = fmod(wait, 1) * 1e9};
    int count = epoll_pwait2(poll_fd, events, EVENTS, &span, NULL);
    bool told = false;
    if (count < 0 && errno != EINTR) die("epoll_wait");
    for (int i = 0; i < count; i++) {
        struct player *player = events[i].data.ptr;
        if (!player) told = true;
        else if (player->stage == CONNECTING) upgrade(player);
        else on_readable(player);
    }
    return told;
}

static int by_size(const void *left, const void *right) {
    float a = *(const float *)left, b = *(const float *)right;
    return (a > b) - (a < b);
}

static double percentile(double part) {
    return counts.latencies ? counts.latency[(long)(part * (counts.latencies - 1))] * 1e3 : 0;
}

// Players answer until the time is over: at once when they may, or as a Poisson process says.
static void play(void) {
    double patience = now_s() + 120, next, begin_at, cpu = 0;
    enter_first();
    while (counts.started < options.pairs && !counts.errors && now_s() < patience) serve(now_s() + 1);
    if (counts.started < options.pairs) fault("not all matches could start", "");
    next = now_s(), begin_at = next + options.warm_s;
    while (now_s() < begin_at + options.seconds && !counts.errors) {
        double now = now_s();
        if (!measuring && now >= begin_at) {
            counts.answers = counts.duels = counts.latencies = counts.late = counts.refused = 0;
            measuring = true, cpu = own_cpu_s(), begin_at = now;
            puts("{\"phase\":\"begin\"}");
        }
        while (options.rate > 0 && next <= now) {
            if (ready_count) {
                int place = random() % ready_count;
                struct player *player = ready[place];
                ready[place] = ready[--ready_count];
                answer(player, next);
            } else {
                owed++;
            }
            next -= log(1 - drand48()) / options.rate;
        }
        serve(options.rate > 0 && next < now + 0.1 ? next : now + 0.1);
    }
    double seconds = now_s() - begin_at;
    qsort(counts.latency, counts.latencies, sizeof *counts.latency, by_size);
    printf("{\"phase\":\"end\",\"seconds\":%.4f,\"answers\":%ld,\"duels\":%ld,\"late\":%ld,\"refused\":%ld,\"delayed\":%ld,\"errors\":%ld,"
           "\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"load_cpu_s\":%.4f}\n",
           seconds, counts.answers, counts.duels, counts.late, counts.refused, counts.delayed, counts.errors, percentile(0.5), percentile(0.99),
           own_cpu_s() - cpu);
}

static void connect_all(void) {
    double begun = now_s(), cpu = own_cpu_s(), patience = begun + 120;
    while (opened < total && opened < options.window) open_next();
    while (connected < total && !counts.errors && now_s() < patience) serve(now_s() + 1);
    if (connected < total) fault("not all could connect", "");
    printf("{\"phase\":\"connected\",\"connections\":%d,\"seconds\":%.4f,\"load_cpu_s\":%.4f,\"errors\":%ld}\n", connected,
           now_s() - begun, own_cpu_s() - cpu, counts.errors);
}

static void fill(void) {
    double patience = now_s() + 300;
    enter_first();
    while (counts.started < options.matches && !counts.errors && now_s() < patience) serve(now_s() + 1);
    printf("{\"phase\":\"end\",\"started\":%ld,\"errors\":%ld}\n", counts.started, counts.errors);
}

// Given once for each node.
static void read_port(int port) {
    if (options.nodes == NODES_MAX) errno = EINVAL, die("--port");
    options.ports[options.nodes++] = port;
}

static void read_options(int count, char **words) {
    for (int i = 1; i + 1 < count; i += 2) {
        double value = atof(words[i + 1]);
        const char *name = words[i];
        if (!strcmp(name, "--port")) read_port(value);
        else if (!strcmp(name, "--split")) options.split = value;
        else if (!strcmp(name, "--pairs")) options.pairs = value;
        else if (!strcmp(name, "--questions")) options.questions = value;
        else if (!strcmp(name, "--window")) options.window = value;
        else if (!strcmp(name, "--rate")) options.rate = value;
        else if (!strcmp(name, "--warm")) options.warm_s = value;
        else if (!strcmp(name, "--seconds")) options.seconds = value;
        else if (!strcmp(name, "--matches")) options.matches = value;
        else if (!strcmp(name, "--connections")) options.connections = value;
        else if (!strcmp(name, "--deflate")) options.deflate = value;
        else if (!strcmp(name, "--topic")) options.topic = words[i + 1];
        else errno = EINVAL, die(name);
    }
    if (!options.nodes) errno = EINVAL, die("--port");
    if (options.questions > QUESTIONS_MAX) errno = EINVAL, die("--questions");
}

int main(int count, char **words) {
    struct epoll_event input = {.events = EPOLLIN, .data.ptr = NULL};
    read_options(count, words);
    raise_file_limit();
    setvbuf(stdout, NULL, _IOLBF, 0);
    total = options.connections ? options.connections : 2 * options.pairs;
    pairs = calloc((total + 1) / 2, sizeof *pairs);
    ready = calloc(total, sizeof *ready);
    poll_fd = epoll_create1(EPOLL_CLOEXEC);
    srandom(1), srand48(1);
    connect_all();
    if (!options.connections && !counts.errors) options.matches ? fill() : play();
    if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, 0, &input)) return counts.errors > 0;
    while (!counts.errors && !serve(now_s() + 1)) {}
    return counts.errors > 0;
}
