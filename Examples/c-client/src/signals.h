/* SIGINT and SIGTERM end the program in good order. */
#pragma once

#include <stdbool.h>

void signals_watch(void);
bool signals_stop(void);
