/* The stream that carries the delta protocol: DeltaAggregatedResources over mutual TLS with gRPC's C core. */
#pragma once

#include "channel.h"
#include "delta.h"

#include <time.h>

enum stream_end {
    STREAM_SIGNAL,      /* SIGINT or SIGTERM */
    STREAM_TIME,        /* `until` is over */
    STREAM_SYNCED,      /* and the user wanted no more than that */
    STREAM_LATE,        /* not synced when `sync_until` was over */
    STREAM_RENEWAL,     /* it is time for a new certificate */
    STREAM_BROKEN,      /* the peer ended it, or there is none; `status` */
    STREAM_HOSTILE,     /* the peer sent what cannot be answered */
};

/* Points of the monotonic clock in seconds; 0: never. The renewal is by the calendar. */
struct stream_limits {
    double until, sync_until;
    time_t renewal;
};

struct stream_result {
    enum stream_end end;
    grpc_status_code status;
    bool answered;          /* at least one response came */
    struct text why;        /* for the last two */
};

double monotonic_now(void);

/* Runs one stream to its end. Synced is told (once in a program's life, `*synced`) when it is reached; what waits to be sent is sent
   before a good end. */
void stream_run(const struct arguments *arguments, const struct proof *proof, struct delta *delta, bool again, bool *synced,
                const struct stream_limits *limits, struct stream_result *result);
