/* What pgdeck tune has found for one server, and the ways to show it. */
#pragma once
#include "cli/command.h"
#include "settings/pgtune.h"
#include "settings/survey.h"

struct tune_server {
    struct advice advice;
    struct settings_survey survey;
    bool is_offline; /* derived from options, without a server */
};

/* Rows of the server itself (environment NULL) or of one environment. */
bool tune_is_of(const struct settings_row *row, const char *environment);

void tune_print_table(const struct cli *cli, const struct tune_server *server);
/* False: there is no such row. */
bool tune_print_explanation(const struct cli *cli, const struct tune_server *server,
                            const char *parameter);
void tune_print_comparison(const struct cli *cli, const struct tune_server *server);
void tune_render_conf(const struct tune_server *server);
void tune_render_alter_system(const struct tune_server *server);
/* False: the server is nobody's but its owner's. */
bool tune_render_provider(const struct tune_server *server);
/* What pgtune is asked: one workload and one number of connections, all of the server's. */
struct pgtune_input tune_pgtune_input(const struct tune_server *server);
void tune_render_json(const struct tune_server *servers, size_t count, bool with_pgtune);
