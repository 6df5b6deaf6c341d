// What the parts of the load generator share.
#ifndef LOAD_H
#define LOAD_H
#include "wire.h"

enum { QUESTIONS_MAX = 50, NODES_MAX = 8 };
enum waiting { NOTHING, CREATED, JOINED, STARTED, ANSWERED };
enum stage { CONNECTING, UPGRADING, ENTERING, READY };

struct pair;

struct player {
    int fd, port, seat, ack;
    enum stage stage;
    enum waiting waiting;  // for which acknowledgement
    bool started, over;    // has heard quiz_started, quiz_results
    int place;             // in the list of those who may answer, -1 outside
    int answered, heard, score;
    int chosen[QUESTIONS_MAX], told[QUESTIONS_MAX], shown[QUESTIONS_MAX];  // scores: as told to us, as shown to the other
    char *results;         // heard, and not all before them
    double asked_at, again_at;
    char asked[256];  // the last command, as it was sent
    struct player *next;
    struct pair *pair;
    struct rest rest;
};

struct pair {
    struct player players[2];
    char session[40];
    bool under_way;
    int wanted, questions, ids[QUESTIONS_MAX], right[QUESTIONS_MAX];
};

extern struct options {
    int ports[NODES_MAX], nodes, pairs, questions, window, matches, connections;
    double rate, warm_s, seconds;
    bool deflate, split;
    const char *topic;
} options;

extern struct counts {
    long answers, duels, started, errors, late, refused, delayed, latencies, room;
    float *latency;
} counts;

// duel.c: how a player plays. `chosen` is called with a player who may answer next.
void enter_duel(struct pair *pair);
void answer(struct player *player, double asked_at);
void ask_again(struct player *player);
void on_message(struct player *player, char *text, size_t length);
void fault(const char *what, const char *text);

// load.c: who may answer, and what follows when a match is under way
void may_answer(struct player *player);
void later(struct player *player);
void match_started(struct pair *pair);
#endif
