/* What the user asked for. */
#pragma once

#include "resource.h"

#include <stdbool.h>

enum { MAX_LABELS = 32 };

struct label {
    char *key;                  /* a copy of its own */
    const char *value;
};

struct arguments {
    const char *control_plane;  /* HOST:PORT */
    const char *server_name;    /* NULL: the host of control_plane */
    const char *root_cert, *token_file;
    const char *name, *workload_namespace, *service_account, *trust_domain, *ip;
    const char *state;          /* never NULL after a good reading */
    char *own_state;            /* where it is not the user's */
    struct label labels[MAX_LABELS];
    int label_count;
    bool types[KINDS];
    bool json, until_synced;
    long run_for;               /* seconds; 0: until a signal */
    long timeout;               /* seconds */
    long certificate_life;      /* seconds; 0: as the authority likes */
};

/* Reads the command line, and the environment for what it does not say. CODE_GOOD, CODE_USAGE with the reason noted, or -1
   where help or version was printed and nothing is left to do. Strings live as long as `argv` and the process. */
int arguments_read(int argc, char **argv, struct arguments *out);
void arguments_free(struct arguments *arguments);
