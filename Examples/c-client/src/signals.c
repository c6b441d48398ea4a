#include "signals.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t stop;

static void handle(int number) {
    (void)number;
    stop = 1;
}

void signals_watch(void) {
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool signals_stop(void) { return stop; }
