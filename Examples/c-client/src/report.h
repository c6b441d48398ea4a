/* What goes to stdout: one line per event, for people or as JSON. */
#pragma once

#include "chain.h"
#include "resource.h"

#include <stdio.h>

struct report {
    FILE *out;
    bool json;
};

enum change { ADDED, CHANGED, REMOVED };

/* `source`: where the certificate is from ("token", "renewal", "folder"); `renewal`: when the next is asked for, 0 if it is never. */
void report_certificate(const struct report *report, const char *source, const struct verdict *verdict, time_t renewal);
void report_resource(const struct report *report, enum kind kind, enum change change, const struct resource *resource);
/* An answer of the control plane was taken: so many resources came, so many went. */
void report_accepted(const struct report *report, enum kind kind, size_t came, size_t went);
/* It was refused, for the reason that the control plane was told. */
void report_refused(const struct report *report, const char *type, const char *why);
void report_connected(const struct report *report, const char *control_plane, bool again);
/* Everything asked for is there: resources per kind. */
void report_synced(const struct report *report, const size_t held[KINDS]);
