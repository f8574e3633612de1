/*
 * cli/commands.h: the sub-commands, one file each; main.c has the table.
 */
#pragma once

#include "cli/command.h"

extern const struct command command_serve;
extern const struct command command_echo;
extern const struct command command_connect;
extern const struct command command_relay;
extern const struct command command_pipe;
extern const struct command command_models;
extern const struct command command_load;
extern const struct command command_bench;
extern const struct command command_spool;
extern const struct command command_call;
extern const struct command command_config;
extern const struct command command_passwd;
