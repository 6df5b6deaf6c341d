// The limit: the same duel with the same bytes by one thread on epoll, in memory. No HTTP but the handshake, no limits,
// no pings, no second match of a player at a time, payloads read by looking for keys. Nobody should play on it.
#define _GNU_SOURCE
#include "../load/wire.h"
#include "sha1.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>

enum { EVENTS = 512, QUESTIONS_MAX = 50, MATCHES_MAX = 1 << 20 };

struct match;

struct player {
    int fd, seat, score, answered, chosen[QUESTIONS_MAX], points[QUESTIONS_MAX];
    bool upgraded;
    struct match *match;
    struct rest rest;
};

struct match {
    struct player *players[2];
    unsigned number;
    int questions, version;
};

static struct match *matches[MATCHES_MAX];
static unsigned match_count;
static char out[BUFFER];

static long long now_ms(void) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    return at.tv_sec * 1000LL + at.tv_nsec / 1000000;
}

static void say(struct player *player, int length) { send_frame(player->fd, TEXT, out, length, false); }

#define SAY(player, ...) say(player, snprintf(out, sizeof out, __VA_ARGS__))
#define SESSION "\"session_id\":\"%08x-0000-4000-8000-000000000000\""

static long number(const char *text, const char *key) {
    const char *at = strstr(text, key);
    return at ? strtol(at + strlen(key), NULL, 10) : -1;
}

static struct match *find(const char *text) {
    const char *at = strstr(text, "\"session_id\":\"");
    unsigned long found = at ? strtoul(at + 14, NULL, 16) : MATCHES_MAX;
    return found < match_count ? matches[found] : NULL;
}

static int right(int question) { return (question * 7 + 3) % 4; }

static void create(struct player *player, int ack, const char *text) {
    struct match *match = calloc(1, sizeof *match);
    char body[256];
    if (match_count == MATCHES_MAX) return;
    match->number = match_count;
    match->questions = number(text, "\"question_count\":");
    if (match->questions < 1 || match->questions > QUESTIONS_MAX) match->questions = 5;
    match->version = 1;
    match->players[0] = player;
    matches[match_count++] = match;
    player->match = match, player->seat = 0, player->score = player->answered = 0;
    snprintf(body, sizeof body,
             SESSION ",\"topic\":\"General\",\"join_url\":\"/pair-quiz/%08x-0000-4000-8000-000000000000\","
             "\"join_code\":\"6RKFB6XZ\",\"status\":\"waiting_for_opponent\",\"version\":1}]",
             match->number, match->number);
    SAY(player, "43%d[{\"ok\":true,%s", ack, body);
    SAY(player, "42[\"quiz_created\",{%s", body);
}

static void join(struct player *player, int ack, const char *text) {
    struct match *match = find(text);
    char body[256];
    if (!match) return;
    match->players[1] = player;
    player->match = match, player->seat = 1, player->score = player->answered = 0;
    snprintf(body, sizeof body,
             SESSION ",\"status\":\"ready_to_start\",\"opponent\":{\"display_name\":\"Guest\",\"connected\":true},\"version\":%d}]",
             match->number, ++match->version);
    SAY(player, "43%d[{\"ok\":true,%s", ack, body);
    for (int seat = 0; seat < 2; seat++) SAY(match->players[seat], "42[\"opponent_joined\",{%s", body);
}

static void start(struct player *player, int ack, const char *text) {
    static char body[BUFFER / 2];
    struct match *match = find(text);
    long long now = now_ms();
    int length;
    if (!match || !match->players[1]) return;
    length = snprintf(body, sizeof body, SESSION ",\"questions\":[", match->number);
    for (int i = 0; i < match->questions; i++)
        length += snprintf(body + length, sizeof body - length,
                           "%s{\"id\":%d,\"text\":\"Which one of these four options is the right one here?\",\"options\":"
                           "[\"The first\",\"The second\",\"The third\",\"The fourth\"],\"kind\":\"single_choice\",\"lang\":\"en\"}",
                           i ? "," : "", 101 + i);
    snprintf(body + length, sizeof body - length,
             "],\"time_limit\":300,\"started_at\":%lld,\"deadline_at\":%lld,\"pace\":\"free\",\"version\":%d}]", now,
             now + 300000LL * match->questions, ++match->version);
    SAY(player, "43%d[{\"ok\":true,%s", ack, body);
    for (int seat = 0; seat < 2; seat++) SAY(match->players[seat], "42[\"quiz_started\",{%s", body);
}

static int receipt(char *to, size_t room, int points, long long at) {
    return snprintf(to, room,
                    "\"receipt\":{\"arrived_at\":%lld,\"lag_credit_ms\":0,\"judged_at\":%lld,\"points\":%d,\"reason\":\"%s\"}", at,
                    at, points, points ? "right: 100, for speed: 50" : "wrong: 0");
}

static void results(struct match *match) {
    static char body[BUFFER / 2];
    for (int seat = 0; seat < 2; seat++) {
        struct player *mine = match->players[seat], *theirs = match->players[1 - seat];
        int length = 0;
        for (int i = 0; i < match->questions; i++) {
            length += snprintf(body + length, sizeof body - length,
                               "%s{\"id\":%d,\"correct_option\":%d,\"your_answer\":%d,\"opponent_answer\":%d,\"your_points\":%d,"
                               "\"opponent_points\":%d,",
                               i ? "," : "", 101 + i, right(101 + i), mine->chosen[i], theirs->chosen[i], mine->points[i],
                               theirs->points[i]);
            length += receipt(body + length, sizeof body - length, mine->points[i], now_ms());
            length += snprintf(body + length, sizeof body - length,
                               ",\"explanation\":\"Because it is the one that this server has written down for it.\"}");
        }
        SAY(mine,
            "42[\"quiz_results\",{" SESSION ",\"your_score\":%d,\"opponent_score\":%d,\"outcome\":\"%s\",\"reason\":"
            "\"all_answered\",\"questions\":[%s],\"opponent\":{\"display_name\":\"Guest\"},\"version\":%d}]",
            match->number, mine->score, theirs->score,
            mine->score > theirs->score ? "won" : mine->score < theirs->score ? "lost" : "draw", body, match->version + 1);
    }
    matches[match->number] = NULL;
    for (int seat = 0; seat < 2; seat++) match->players[seat]->match = NULL;
    free(match);
}

static void answer(struct player *player, int ack, const char *text) {
    struct match *match = find(text);
    int question = number(text, "\"question_id\":"), option = number(text, "\"answer\":"), points;
    struct player *other;
    char judged[256];
    if (!match || player->match != match || question != 101 + player->answered || !match->players[1]) return;
    other = match->players[1 - player->seat];
    points = option == right(question) ? 150 : 0;
    player->chosen[player->answered] = option, player->points[player->answered] = points;
    player->answered++, player->score += points, match->version++;
    receipt(judged, sizeof judged, points, now_ms());
    SAY(player,
        "43%d[{\"ok\":true,\"question_id\":%d,\"player\":\"you\"," SESSION ",\"correct\":%s,\"correct_option\":%d,\"points\":%d,"
        "\"score\":%d,%s,\"version\":%d}]",
        ack, question, match->number, points ? "true" : "false", right(question), points, player->score, judged, match->version);
    SAY(other, "42[\"answer_submitted\",{\"question_id\":%d,\"player\":\"opponent\"," SESSION ",\"answered\":%d,\"score\":%d,\"version\":%d}]",
        question, match->number, player->answered, player->score, match->version);
    if (player->answered < match->questions) return;
    if (other->answered == match->questions) results(match);
    else SAY(other, "42[\"opponent_completed\",{" SESSION ",\"score\":%d,\"version\":%d}]", match->number, player->score, match->version);
}

static void on_text(struct player *player, char *data, size_t size) {
    static char text[BUFFER];
    char *name;
    int ack;
    memcpy(text, data, size);
    text[size] = 0;
    if (!strncmp(text, "40", 2)) {
        SAY(player, "40{\"sid\":\"%020d\"}", player->fd);
        SAY(player, "42[\"welcome\",{\"user_id\":\"guest:%020d\",\"server_time\":%lld,\"protocol\":1,\"region\":\"local\",\"sessions\":[]}]",
            player->fd, now_ms());
        return;
    }
    if (strncmp(text, "42", 2)) return;
    ack = strtol(text + 2, &name, 10);
    if (!strncmp(name, "[\"submit_answer\"", 16)) answer(player, ack, name);
    else if (!strncmp(name, "[\"create_pair_quiz\"", 19)) create(player, ack, name);
    else if (!strncmp(name, "[\"join_pair_quiz\"", 17)) join(player, ack, name);
    else if (!strncmp(name, "[\"start_quiz\"", 13)) start(player, ack, name);
}

static void upgrade(struct player *player, unsigned char *head, size_t length) {
    char *key = memmem(head, length, "Sec-WebSocket-Key: ", 19), accepted[29];
    if (!key) return;
    accept_key(key + 19, strcspn(key + 19, "\r\n"), accepted);
    int size = snprintf(out, sizeof out,
                        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Accept: %s\r\n\r\n",
                        accepted);
    send(player->fd, out, size, MSG_NOSIGNAL);
    player->upgraded = true;
    SAY(player, "0{\"sid\":\"%020d\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":20000,\"maxPayload\":65536}", player->fd);
}

static void leave(struct player *player) {
    struct match *match = player->match;
    close(player->fd);
    if (match) {
        matches[match->number] = NULL;
        for (int seat = 0; seat < 2; seat++)
            if (match->players[seat]) match->players[seat]->match = NULL;
        free(match);
    }
    free(player->rest.bytes);
    free(player);
}

static void on_readable(struct player *player) {
    static unsigned char buffer[BUFFER + 1];
    ssize_t length = receive(player->fd, &player->rest, buffer);
    size_t used = 0, taken, size;
    int opcode = 0;
    char *data;
    if (length == 0) return;
    if (length < 0) return leave(player);
    buffer[length] = 0;
    if (!player->upgraded) {
        unsigned char *end = memmem(buffer, length, "\r\n\r\n", 4);
        if (end) upgrade(player, buffer, length), used = end + 4 - buffer;
    }
    while (player->upgraded && (taken = take_frame(buffer + used, length - used, &opcode, &data, &size))) {
        used += taken;
        if (opcode == CLOSE) return leave(player);
        if (opcode == TEXT) on_text(player, data, size);
    }
    keep(&player->rest, buffer + used, length - used);
}

int main(void) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), poll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[EVENTS];
    raise_file_limit();
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 512)) die("listen");
    getsockname(listener, (struct sockaddr *)&address, &size);
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, listener, &event);
    printf("listening on http://127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        int count = epoll_wait(poll_fd, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            struct player *player = events[i].data.ptr;
            if (player) {
                on_readable(player);
                continue;
            }
            player = calloc(1, sizeof *player);
            player->fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (player->fd < 0) die("accept");
            setsockopt(player->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            event.data.ptr = player;
            if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, player->fd, &event)) die("epoll_ctl");
        }
    }
}
