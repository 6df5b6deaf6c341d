// One duel as its two players play it; everything that they are told is checked against what it must be.
#define _GNU_SOURCE
#include "load.h"

#define FAULTS_SHOWN 5

void fault(const char *what, const char *text) {
    if (counts.errors++ < FAULTS_SHOWN) fprintf(stderr, "fault: %s: %.400s\n", what, text);
}

// The number behind the first `"key":` in the text; `missing` where there is none.
static long number(const char *text, const char *key, long missing) {
    const char *at = strstr(text, key);
    return at ? strtol(at + strlen(key), NULL, 10) : missing;
}

static void ask(struct player *player, enum waiting waiting, const char *name, const char *payload) {
    snprintf(player->asked, sizeof player->asked, "42%d[\"%s\",%s]", player->ack, name, payload);
    player->waiting = waiting;
    ask_again(player);
}

void ask_again(struct player *player) {
    if (!send_frame(player->fd, TEXT, player->asked, strlen(player->asked), true))
        fault("the server does not read", player->asked);
}

void enter_duel(struct pair *pair) {
    char payload[160];
    for (int seat = 0; seat < 2; seat++) {
        struct player *player = &pair->players[seat];
        player->started = player->over = false;
        player->answered = player->heard = player->score = 0;
    }
    for (int i = 0; i < QUESTIONS_MAX; i++) {
        pair->right[i] = -1;
        for (int seat = 0; seat < 2; seat++) pair->players[seat].told[i] = pair->players[seat].shown[i] = -1;
    }
    pair->questions = 0;
    pair->under_way = false;
    // The first match of a pair is shorter by chance: from then on matches begin and end all the time.
    pair->wanted = pair->wanted || options.matches ? options.questions : 1 + random() % options.questions;
    snprintf(payload, sizeof payload, "{\"topic\":\"%s\",\"question_count\":%d,\"time_limit\":300}", options.topic,
             pair->wanted);
    ask(&pair->players[0], CREATED, "create_pair_quiz", payload);
}

void answer(struct player *player, double asked_at) {
    struct pair *pair = player->pair;
    char payload[160];
    int option = random() & 3;
    player->chosen[player->answered] = option;
    player->asked_at = asked_at;
    snprintf(payload, sizeof payload, "{\"session_id\":\"%s\",\"question_id\":%d,\"answer\":%d}", pair->session,
             pair->ids[player->answered], option);
    ask(player, ANSWERED, "submit_answer", payload);
}

static void go_on(struct player *player) {
    struct player *other = &player->pair->players[1 - player->seat];
    if (!player->started || player->waiting != NOTHING || player->answered >= player->pair->questions) return;
    if (!options.matches) may_answer(player);
    if (!player->pair->under_way && other->started && (!options.matches || other->waiting == NOTHING)) {
        player->pair->under_way = true;
        match_started(player->pair);
    }
}

static void check_results(struct player *player, const char *text) {
    struct pair *pair = player->pair;
    struct player *other = &pair->players[1 - player->seat];
    const char *at = text;
    if (number(text, "\"your_score\":", -1) != player->score) fault("another score in the results", text);
    if (number(text, "\"opponent_score\":", -1) != other->shown[pair->questions - 1])
        fault("another score of the opponent in the results", text);
    for (int i = 0; i < pair->questions && at; i++) {
        char wanted[120];
        snprintf(wanted, sizeof wanted, "{\"id\":%d,\"correct_option\":%d,\"your_answer\":%d,\"opponent_answer\":%d,",
                 pair->ids[i], pair->right[i], player->chosen[i], other->chosen[i]);
        if (!(at = strstr(at, wanted))) fault("other answers in the results", text);
    }
    player->over = true;
    if (!other->over) return;
    counts.duels++;
    enter_duel(pair);
}

static bool has_heard_all(struct player *player) {
    return player->answered == player->pair->questions && player->heard == player->pair->questions;
}

// Of a split pair the last answer of the other node may come behind the results: each node tells what it knows at once.
static void conclude(struct player *player) {
    char *results = player->results;
    if (!results || !has_heard_all(player)) return;
    player->results = NULL;
    check_results(player, results);
    free(results);
}

static void on_ack_of_answer(struct player *player, const char *text) {
    struct pair *pair = player->pair;
    int i = player->answered;
    long right = number(text, "\"correct_option\":", -1), points = number(text, "\"points\":", -1);
    bool correct = strstr(text, "\"correct\":true") != NULL;
    if (number(text, "\"question_id\":", -1) != pair->ids[i]) fault("an answer to another question", text);
    if (!strstr(text, "\"player\":\"you\"")) fault("not one's own answer", text);
    if (right < 0 || right > 3 || (pair->right[i] >= 0 && pair->right[i] != right)) fault("another right option", text);
    if (correct != (player->chosen[i] == right)) fault("judged wrongly", text);
    if (correct ? points <= 0 : points != 0) fault("wrong points", text);
    player->score += points;
    if (number(text, "\"score\":", -1) != player->score) fault("a wrong score", text);
    if (player->shown[i] >= 0 && player->shown[i] != player->score) fault("the opponent saw another score", text);
    pair->right[i] = right;
    player->told[i] = player->score;
    player->answered++;
    counts.answers++;
    if (counts.latencies == counts.room) {
        counts.room = counts.room * 2 + 4096;
        counts.latency = realloc(counts.latency, counts.room * sizeof *counts.latency);
    }
    counts.latency[counts.latencies++] = now_s() - player->asked_at;
    go_on(player);
    conclude(player);
}

static void on_ack(struct player *player, const char *text) {
    struct pair *pair = player->pair;
    enum waiting waiting = player->waiting;
    char payload[80];
    if (waiting != NOTHING && strtol(text, NULL, 10) == player->ack && strstr(text, "\"retry\":true")) {
        counts.refused++;
        later(player);  // as a client does
        return;
    }
    if (waiting == NOTHING || strtol(text, NULL, 10) != player->ack || !strstr(text, "[{\"ok\":true")) {
        fault("not the acknowledgement that was waited for", text);
        return;
    }
    player->ack++;
    player->waiting = NOTHING;
    if (waiting == ANSWERED) {
        on_ack_of_answer(player, text);
    } else if (waiting == CREATED) {
        const char *id = strstr(text, "\"session_id\":\"");
        if (!id) return fault("no session", text);
        snprintf(pair->session, sizeof pair->session, "%.36s", id + 14);
        snprintf(payload, sizeof payload, "{\"session_id\":\"%s\"}", pair->session);
        ask(&pair->players[1], JOINED, "join_pair_quiz", payload);
    } else if (waiting == JOINED) {
        snprintf(payload, sizeof payload, "{\"session_id\":\"%s\"}", pair->session);
        ask(&pair->players[0], STARTED, "start_quiz", payload);
        go_on(player);
    } else {
        go_on(player);
    }
}

static void on_started(struct player *player, const char *text) {
    struct pair *pair = player->pair;
    const char *at = strstr(text, "\"questions\":[");
    int found = 0;
    for (; at && (at = strstr(at, "{\"id\":")); at += 6) {
        int id = strtol(at + 6, NULL, 10);
        if (found >= pair->wanted) break;
        if (pair->questions && pair->ids[found] != id) fault("the two have other questions", text);
        pair->ids[found++] = id;
    }
    if (found != pair->wanted || !strstr(text, pair->session)) fault("not the questions asked for", text);
    if (strstr(text, "correct")) fault("the right option is told", text);
    pair->questions = found;
    player->started = true;
    go_on(player);
}

static void on_opponents_answer(struct player *player, const char *text) {
    struct pair *pair = player->pair;
    struct player *other = &pair->players[1 - player->seat];
    int i = player->heard;
    long score = number(text, "\"score\":", -1);
    if (i >= pair->questions || number(text, "\"question_id\":", -1) != pair->ids[i]) {
        fault("the opponent answered another question", text);
        return;
    }
    if (!strstr(text, "\"player\":\"opponent\"") || number(text, "\"answered\":", -1) != i + 1)
        fault("not the opponent's next answer", text);
    if (other->told[i] >= 0 && other->told[i] != score) fault("the opponent was told another score", text);
    other->shown[i] = score;
    player->heard++;
    conclude(player);
}

static void on_results(struct player *player, const char *text) {
    if (player->over || player->results || !(options.split || has_heard_all(player))) {
        fault("results before the end", text);
        return;
    }
    player->results = strdup(text);
    conclude(player);
}

void on_message(struct player *player, char *text, size_t length) {
    static char copy[BUFFER];
    memcpy(copy, text, length);
    copy[length] = 0;
    if (!strncmp(copy, "42[\"answer_submitted\"", 21)) {
        on_opponents_answer(player, copy);
    } else if (!strncmp(copy, "43", 2)) {
        on_ack(player, copy + 2);
    } else if (!strncmp(copy, "42[\"quiz_started\"", 17)) {
        on_started(player, copy);
    } else if (!strncmp(copy, "42[\"quiz_results\"", 17)) {
        on_results(player, copy);
    } else if (!strncmp(copy, "42[\"session_delayed\"", 20)) {
        counts.delayed++;  // the server was away, and says so
    } else if (strncmp(copy, "42[\"quiz_created\"", 17) && strncmp(copy, "42[\"opponent_joined\"", 20) &&
               strncmp(copy, "42[\"opponent_completed\"", 23)) {
        fault("an event that nobody expected", copy);
    }
}
