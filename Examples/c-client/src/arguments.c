#include "arguments.h"

#include "codes.h"
#include "text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION "1.0"

enum form { STRING, SECONDS, FLAG, LABEL, TYPES, OUTPUT };

/* One option: the help, the environment and the reading all come from here. */
struct option {
    const char *name, *value;
    enum form form;
    size_t offset;
    const char *help;
};

#define AT(field) offsetof(struct arguments, field)

static const struct option OPTIONS[] = {
    {"control-plane", "HOST:PORT", STRING, AT(control_plane), "the secure port of the control plane (127.0.0.1:15012)"},
    {"root-cert", "FILE", STRING, AT(root_cert), "roots to trust, PEM; `apus ca show -o pem` prints them (needed)"},
    {"token-file", "FILE", STRING, AT(token_file), "a join token; needed until the state folder has a certificate"},
    {"namespace", "NS", STRING, AT(workload_namespace), "namespace of the workload (default)"},
    {"service-account", "SA", STRING, AT(service_account), "service account of the workload (default)"},
    {"name", "NAME", STRING, AT(name), "name of the workload (c-client)"},
    {"ip", "ADDRESS", STRING, AT(ip), "address of the workload (127.0.0.1)"},
    {"label", "KEY=VALUE", LABEL, AT(labels), "a label of the workload; may be given again"},
    {"trust-domain", "DOMAIN", STRING, AT(trust_domain), "trust domain that the certificate must name (cluster.local)"},
    {"server-name", "NAME", STRING, AT(server_name), "name that the server's certificate must bear (the host above)"},
    {"state", "DIR", STRING, AT(state),
     "where key and certificate are kept ($XDG_STATE_HOME/apus-c-client/NAME.NS, else below ~/.local/state)"},
    {"types", "LIST", TYPES, AT(types), "what to ask for, of cds,eds,lds,rds (all four)"},
    {"certificate-life", "SECONDS", SECONDS, AT(certificate_life), "life to ask for, 30 or more (the authority's)"},
    {"for", "SECONDS", SECONDS, AT(run_for), "end after this time (never)"},
    {"until-synced", NULL, FLAG, AT(until_synced), "end when everything asked for has come and was acknowledged"},
    {"timeout", "SECONDS", SECONDS, AT(timeout), "time to wait for a certificate, and for --until-synced (15)"},
    {"output", "text|json", OUTPUT, AT(json), "form of stdout, one line per event; also -o (text)"},
};
enum { OPTION_COUNT = sizeof OPTIONS / sizeof *OPTIONS };

static void help(void) {
    puts("Joins an Apus mesh, watches its configuration, and says what it finds.\n\n"
         "usage: c-client --root-cert FILE [--token-file FILE] [options]\n");
    for (int i = 0; i < OPTION_COUNT; i++) {
        char left[64];
        snprintf(left, sizeof left, "--%s %s", OPTIONS[i].name, OPTIONS[i].value ? OPTIONS[i].value : "");
        printf("  %-30s %s\n", left, OPTIONS[i].help);
    }
    printf("  %-30s %s\n  %-30s %s\n", "--help", "this text; also -h", "--version", "the version");
    puts("\nEvery option can be given as an environment variable too: APUS_ and the option in capitals, `-` as `_`.\n\n"
         "Ends with 0 good, 1 not synced in time or a resource was refused, 64 wrong usage, 65 bad input file,\n"
         "69 control plane not reachable or not trusted, 70 internal error, 73 the state folder cannot be written,\n"
         "75 the state folder is in use, 76 the control plane broke the protocol, 77 refused by the control plane,\n"
         "78 the state folder is open to others, 79 the certificate did not pass the check. SIGINT and SIGTERM end it with 0.");
}

/* A DNS label or name: what may stand in a SPIFFE name and in a node's id without being quoted. */
static bool is_name(const char *string) {
    size_t length = strlen(string);
    if (length == 0 || length > 253) return false;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)string[i]) && string[i] != '-' && string[i] != '.') return false;
    return true;
}

static bool is_printable(const char *string, size_t limit) {
    size_t length = strlen(string);
    for (size_t i = 0; i < length; i++)
        if (string[i] <= ' ' || string[i] >= 0x7f) return false;
    return length > 0 && length <= limit;
}

static bool is_address(const char *string) {
    struct in6_addr address;
    return inet_pton(AF_INET, string, &address) == 1 || inet_pton(AF_INET6, string, &address) == 1;
}

static bool read_seconds(const char *string, long *out) {
    char *end = NULL;
    errno = 0;
    long value = strtol(string, &end, 10);
    if (errno || end == string || *end || value < 1 || value > 10L * 366 * 86400) return false;
    *out = value;
    return true;
}

static bool read_types(const char *list, bool types[KINDS]) {
    memset(types, 0, sizeof(bool) * KINDS);
    for (const char *at = list;;) {
        size_t length = strcspn(at, ",");
        int found = -1;
        for (int kind = 0; kind < KINDS; kind++)
            if (strlen(KIND[kind].brief) == length && strncmp(KIND[kind].brief, at, length) == 0) found = kind;
        if (found < 0) return false;
        types[found] = true;
        if (!at[length]) return true;
        at += length + 1;
    }
}

/* A value for one option; false with the reason noted. */
static bool take(struct arguments *out, const struct option *option, const char *value) {
    char *field = (char *)out + option->offset;
    switch (option->form) {
    case STRING:
        *(const char **)(void *)field = value;
        return true;
    case SECONDS:
        if (read_seconds(value, (long *)(void *)field)) return true;
        note("--%s: \"%s\" is no number of seconds from 1 on", option->name, value);
        return false;
    case FLAG:
        *(bool *)field = true;
        return true;
    case TYPES:
        if (read_types(value, out->types)) return true;
        note("--types: \"%s\" is no list of cds, eds, lds and rds", value);
        return false;
    case OUTPUT:
        out->json = strcmp(value, "json") == 0;
        if (out->json || strcmp(value, "text") == 0) return true;
        note("--output: \"%s\" is neither text nor json", value);
        return false;
    case LABEL: {
        const char *equals = strchr(value, '=');
        if (!equals || equals == value || out->label_count == MAX_LABELS || !is_printable(value, 320)) {
            note("--label: \"%s\" is not KEY=VALUE, or there are more than %d", value, MAX_LABELS);
            return false;
        }
        char *key = must_copy(value);
        key[equals - value] = 0;
        out->labels[out->label_count++] = (struct label){key, equals + 1};
        return true;
    }
    }
    return false;
}

static bool take_environment(struct arguments *out, const bool *given) {
    for (int i = 0; i < OPTION_COUNT; i++) {
        char name[64];
        int length = snprintf(name, sizeof name, "APUS_%s", OPTIONS[i].name);
        for (int at = 0; at < length; at++) name[at] = name[at] == '-' ? '_' : (char)toupper((unsigned char)name[at]);
        const char *value = getenv(name);
        if (given[i] || !value || !*value) continue;
        if (OPTIONS[i].form == FLAG && strcmp(value, "1") != 0 && strcmp(value, "true") != 0) continue;
        if (!take(out, &OPTIONS[i], value)) return false;
    }
    return true;
}

static char *default_state(const struct arguments *arguments) {
    struct text path = {0};
    const char *base = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (base && *base)
        text_add(&path, base);
    else if (home && *home)
        text_addf(&path, "%s/.local/state", home);
    else
        return NULL;
    text_addf(&path, "/apus-c-client/%s.%s", arguments->name, arguments->workload_namespace);
    return path.data;
}

static bool wrong(const char *option, const char *value, const char *right) {
    note("--%s: \"%s\" is not %s", option, value, right);
    return false;
}

/* What one option alone cannot tell. */
static bool check(struct arguments *out) {
    if (!out->root_cert) {
        note("--root-cert is missing: without the roots no control plane can be told from a stranger");
        return false;
    }
    const char *colon = strrchr(out->control_plane, ':');
    char *end = NULL;
    long port = colon ? strtol(colon + 1, &end, 10) : 0;
    if (!colon || colon == out->control_plane || *end || port < 1 || port > 65535 || !is_printable(out->control_plane, 300)
        || strstr(out->control_plane, "//"))
        return wrong("control-plane", out->control_plane, "HOST:PORT");
    if (!is_name(out->name)) return wrong("name", out->name, "a name (letters, digits, \"-\", \".\")");
    if (!is_name(out->workload_namespace)) return wrong("namespace", out->workload_namespace, "a name of a namespace");
    if (!is_name(out->service_account)) return wrong("service-account", out->service_account, "a name of a service account");
    if (!is_name(out->trust_domain)) return wrong("trust-domain", out->trust_domain, "a trust domain");
    if (out->server_name && !is_printable(out->server_name, 253)) return wrong("server-name", out->server_name, "a host name");
    if (!is_address(out->ip)) return wrong("ip", out->ip, "an IP address");
    if (out->types[ENDPOINTS] && !out->types[CLUSTERS]) {
        note("--types: eds needs cds, whose clusters name what to ask for");
        return false;
    }
    if (out->types[ROUTES] && !out->types[LISTENERS]) {
        note("--types: rds needs lds, whose listeners name what to ask for");
        return false;
    }
    if (out->certificate_life && out->certificate_life < 30) {
        note("--certificate-life: 30 seconds are the least");
        return false;
    }
    if (!out->state) out->state = out->own_state = default_state(out);
    if (!out->state) note("--state is missing, and HOME is not set");
    return out->state != NULL;
}

int arguments_read(int argc, char **argv, struct arguments *out) {
    *out = (struct arguments){
        .control_plane = "127.0.0.1:15012", .name = "c-client", .workload_namespace = "default", .service_account = "default",
        .trust_domain = "cluster.local", .ip = "127.0.0.1", .timeout = 15, .types = {true, true, true, true},
    };
    bool given[OPTION_COUNT] = {false};
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i], *value = NULL;
        if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            help();
            return -1;
        }
        if (strcmp(word, "--version") == 0) {
            puts("c-client " VERSION);
            return -1;
        }
        if (strcmp(word, "-o") == 0) word = "--output";
        const struct option *option = NULL;
        for (int at = 0; at < OPTION_COUNT && word[0] == '-' && word[1] == '-'; at++) {
            size_t length = strlen(OPTIONS[at].name);
            if (strncmp(word + 2, OPTIONS[at].name, length) != 0) continue;
            if (word[2 + length] == '=' && OPTIONS[at].value) value = word + 2 + length + 1;
            else if (word[2 + length]) continue;
            option = &OPTIONS[at];
            given[at] = true;
        }
        if (!option) {
            note("unknown argument \"%s\"; --help lists the known ones", argv[i]);
            return CODE_USAGE;
        }
        if (option->value && !value && ++i < argc) value = argv[i];
        if (option->value && (!value || !*value)) {
            note("--%s wants %s", option->name, option->value);
            return CODE_USAGE;
        }
        if (!take(out, option, value)) return CODE_USAGE;
    }
    return take_environment(out, given) && check(out) ? CODE_GOOD : CODE_USAGE;
}

void arguments_free(struct arguments *arguments) {
    for (int i = 0; i < arguments->label_count; i++) free(arguments->labels[i].key);
    free(arguments->own_state);
    *arguments = (struct arguments){0};
}
