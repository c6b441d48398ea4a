/* Who we are, as the first request of a stream says it. */
#pragma once

#include "arguments.h"

#include "envoy/config/core/v3/core.pb-c.h"

/* Freed with node_free. */
Envoy__Config__Core__V3__Node *node_make(const struct arguments *arguments);
void node_free(Envoy__Config__Core__V3__Node *node);
