/* Lines of a server's log, without what may be a secret. Pure. */
#pragma once
#include "base/text.h"

/* Appends the line up to the first word after which a statement may have a secret (PASSWORD, a
 * foreign server's options, a connection's string, a URI with a user), then "(left out)". It cuts
 * too much rather than too little: words are not understood, only found, in stderr's lines, in
 * csvlog's and in jsonlog's, where a line break is \n. */
void security_redact(struct text *text, const char *line);
