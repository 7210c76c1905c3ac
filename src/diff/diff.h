/* How two environments of a deck differ on their live servers, and why: settings, roles, rights,
 * extensions and all objects of their databases, which are compared in pairs. Reads only. */
#pragma once
#include "settings/drift.h"
#include "settings/survey.h"

struct diff_side {
    const struct deck_environment *environment;
    struct advice advice; /* of its server: deck, snapshot */
    struct settings_survey survey;
    struct settings_evidence evidence;
};

/* Databases that stand for each other; NULL: the other environment has none for it. */
struct diff_pair {
    const struct deck_database *left, *right;
};

struct diff_item {
    const char *kind;             /* "server setting", "column" ... */
    const struct diff_pair *pair; /* NULL: not of a database */
    const char *name;
    const char *left, *right;         /* NULL: is not there */
    const char *left_why, *right_why; /* "": nothing is known */
};

struct diff {
    struct arena *arena;
    struct diff_side left, right;
    LIST_OF(struct diff_pair) pairs;
    LIST_OF(struct diff_item) items;
};

/* The caller fills in environment and advice of both sides, with snapshots of all the environments'
 * databases and their connections. */
bool diff_environments(struct diff *diff, struct error *err) MUST_CHECK;

/* --- parts -------------------------------------------------------------------------------- */

bool diff_is_one_server(const struct diff *diff);
/* Of two versions the server's own form of a view is not the same, nor are the rights there are. */
bool diff_is_one_version(const struct diff *diff);
void diff_add(struct diff *diff, const struct diff_item *item);
void diff_settings(struct diff *diff);
void diff_roles(struct diff *diff);
bool diff_objects(struct diff *diff, const struct diff_pair *pair, struct error *err) MUST_CHECK;

/* A role of the environment by what it is there for ("owner", "service web", "login web"); others
 * by their names. So roles of two environments can be compared. */
const char *diff_role_label(struct arena *arena, const struct deck *deck,
                            const struct deck_environment *environment, const char *role);
/* Rights with such labels, in one order, without who granted them. "" : default rights. */
const char *diff_rights(struct diff *diff, const struct diff_side *side, const char *acl);
