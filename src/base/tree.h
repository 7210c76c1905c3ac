/* Folders with all that is in them. Links are never followed, not even when somebody swaps a
 * folder for one meanwhile: root uses this on folders of other users. */
#pragma once
#include "base/error.h"
#include <stdint.h>

/* Removes path and everything below; what is not there is fine. Errors: ERROR_FILE. */
bool tree_remove(const char *path, struct error *err) MUST_CHECK;
/* Space that the files take on disk; what cannot be read counts nothing. */
int64_t tree_size_bytes(const char *path);
