#include "report.h"

/* A line that stands in the log or the pipe at once. */
static void print(const struct report *report, struct text *line) {
    text_add(line, "\n");
    fwrite(line->data, 1, line->length, report->out);
    fflush(report->out);
    text_free(line);
}

static void add_time_member(struct text *line, const char *key, time_t time) {
    text_addf(line, ",\"%s\":\"", key);
    time_add(line, time);
    text_add(line, "\"");
}

static void certificate_json(struct text *line, const char *source, const struct verdict *verdict, time_t renewal) {
    text_addf(line, "{\"event\":\"certificate\",\"source\":\"%s\",\"good\":%s", source, verdict->good ? "true" : "false");
    if (verdict->readable) {
        text_add(line, ",\"identity\":");
        text_add_json(line, text_string(&verdict->identity));
        text_addf(line, ",\"serial\":\"%s\",\"root\":", text_string(&verdict->serial));
        text_add_json(line, text_string(&verdict->root));
        add_time_member(line, "begins", verdict->begins);
        add_time_member(line, "ends", verdict->ends);
        if (renewal) add_time_member(line, "renewal", renewal);
    }
    text_add(line, ",\"checks\":[");
    for (int i = 0; i < (verdict->readable ? QUESTIONS : 1); i++) {
        text_addf(line, "%s{\"check\":\"%s\",\"good\":%s,\"found\":", i ? "," : "", QUESTION[i],
                  verdict->holds[i] ? "true" : "false");
        text_add_json(line, text_string(&verdict->answers[i]));
        text_add(line, "}");
    }
    text_add(line, "]}");
}

void report_certificate(const struct report *report, const char *source, const struct verdict *verdict, time_t renewal) {
    struct text line = {0};
    if (report->json) {
        certificate_json(&line, source, verdict, renewal);
        print(report, &line);
        return;
    }
    text_addf(&line, "certificate from %s: %s", source, verdict->good ? "good" : "NOT GOOD");
    if (verdict->readable) text_addf(&line, ", serial %s", text_string(&verdict->serial));
    if (renewal && verdict->good) {
        text_add(&line, ", renewal at ");
        time_add(&line, renewal);
    }
    for (int i = 0; i < (verdict->readable ? QUESTIONS : 1); i++)
        text_addf(&line, "\n  %-6s %-4s %s", QUESTION[i], verdict->holds[i] ? "good" : "BAD", text_string(&verdict->answers[i]));
    print(report, &line);
}

void report_resource(const struct report *report, enum kind kind, enum change change, const struct resource *resource) {
    static const char *const WORDS[] = {"added", "changed", "removed"};
    struct text line = {0};
    if (report->json) {
        text_addf(&line, "{\"event\":\"resource\",\"change\":\"%s\",\"type\":\"%s\",\"name\":", WORDS[change], KIND[kind].brief);
        text_add_json(&line, resource->name);
        if (change != REMOVED) {
            text_add(&line, ",\"version\":");
            text_add_json(&line, resource->version);
            text_add(&line, text_string(&resource->json));
        }
        text_add(&line, "}");
    } else {
        text_addf(&line, "%s %c ", KIND[kind].brief, "+~-"[change]);
        text_add_shown(&line, resource->name, 300);
        if (change != REMOVED) {
            text_add(&line, "  version ");
            text_add_shown(&line, resource->version, 80);
            text_addf(&line, "  %s", text_string(&resource->shown));
        }
    }
    print(report, &line);
}

void report_accepted(const struct report *report, enum kind kind, size_t came, size_t went) {
    struct text line = {0};
    text_addf(&line, report->json ? "{\"event\":\"accepted\",\"type\":\"%s\",\"resources\":%zu,\"removed\":%zu}"
                                  : "%s: accepted, %zu came, %zu went",
              KIND[kind].brief, came, went);
    print(report, &line);
}

void report_refused(const struct report *report, const char *type, const char *why) {
    struct text line = {0};
    if (report->json) {
        text_addf(&line, "{\"event\":\"refused\",\"type\":");
        text_add_json(&line, type);
        text_add(&line, ",\"why\":");
        text_add_json(&line, why);
        text_add(&line, "}");
    } else {
        text_add_shown(&line, type, 200);
        text_addf(&line, ": REFUSED, %s", why);
    }
    print(report, &line);
}

void report_connected(const struct report *report, const char *control_plane, bool again) {
    struct text line = {0};
    if (report->json) {
        text_add(&line, "{\"event\":\"connected\",\"controlPlane\":");
        text_add_json(&line, control_plane);
        text_addf(&line, ",\"again\":%s}", again ? "true" : "false");
    } else {
        text_addf(&line, "connected to %s%s", control_plane, again ? " again" : "");
    }
    print(report, &line);
}

void report_synced(const struct report *report, const size_t held[KINDS]) {
    struct text line = {0};
    text_add(&line, report->json ? "{\"event\":\"synced\"" : "synced:");
    for (int kind = 0; kind < KINDS; kind++)
        text_addf(&line, report->json ? ",\"%s\":%zu" : " %s %zu", KIND[kind].brief, held[kind]);
    if (report->json) text_add(&line, "}");
    print(report, &line);
}
