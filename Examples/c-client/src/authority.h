/* The mesh's certificate authority: istio.v1.auth.IstioCertificateService/CreateCertificate. */
#pragma once

#include "channel.h"

/* A token for metadata: white space around it is cut off. False with the reason (never with the token). */
bool token_read(const char *path, struct text *token, struct text *why);

/* Asks for a certificate. `token` NULL: the certificate in `proof` is what we go by. Appends the chain (PEM, leaf first, nothing else)
   and gives CODE_GOOD, or says why not: nothing in the answer was believed yet, the caller checks the chain. */
int authority_ask(const struct arguments *arguments, const struct proof *proof, const char *token, const char *request,
                  struct text *chain, struct text *why);
