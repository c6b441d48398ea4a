#include "apus_zlib.h"
