/* How the program ends. The numbers are those of `apus` where it has one, and of sysexits.h elsewhere. */
#pragma once

enum code {
    CODE_GOOD = 0,
    CODE_FAILED = 1,        /* not everything came in time, or a resource was refused */
    CODE_USAGE = 64,        /* wrong arguments */
    CODE_DATA = 65,         /* a file that was given is no token, no root, or cannot be read */
    CODE_UNREACHABLE = 69,  /* no control plane, or one that the roots do not vouch for */
    CODE_INTERNAL = 70,     /* a call of a library failed that never should */
    CODE_STATE = 73,        /* the state folder cannot be written */
    CODE_BUSY = 75,         /* another client uses the state folder */
    CODE_PROTOCOL = 76,     /* the control plane answered with what is no answer */
    CODE_REFUSED = 77,      /* the control plane does not believe the token or the certificate */
    CODE_CONFIG = 78,       /* the state folder is not as this program leaves it */
    CODE_CHAIN = 79,        /* the certificate did not pass the check */
};
