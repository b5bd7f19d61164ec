// SPDX-License-Identifier: Apache-2.0
// script/api_act.cc: programs, files, events, time and words to people, described.
#include "script/api_topics.hh"

namespace ktm::script {

namespace {

// --- exec, fs
// -------------------------------------------------------------------------------------

constexpr Parameter program_parameters[] = {
    {"program", "table", "What to run."},
    {"[integer]", "string|number",
     "The program and its arguments. It is found by PATH when it has no slash. No shell reads it."},
    {".within", "ktm.Duration?",
     "How long it may take; then it is killed. Without it as long as the action may run."},
    {".undo", "table?",
     "A program in the same form: registered as an undo before the first one is started."},
};
constexpr Parameter file_parameters[] = {
    {"path", "string", "Below /sys or /proc."},
};

constexpr Word exec_words[] = {
    {.name = "exec",
     .parameters = program_parameters,
     .returns = "ktm.Ending ending: what it wrote",
     .errors = "`refused` `exit-N`: it ended with another exit code than 0; the text is the first "
               "line that it wrote to stderr, or to stdout.\n"
               "`refused` `signal-N`: a signal ended it.\n"
               "`timeout` `killed`: it took longer than `within`.\n"
               "`io`, with the code of the system such as `ENOENT`: it could not be started.\n"
               "`invalid` `bad-argument`: a part of the table is not what it must be.\n"
               "`invalid` `bad-duration`, `bad-quantity`, `too-large`: `within` is no duration.",
     .contexts = in_actions,
     .waits = true,
     .since = 1,
     .doc = "Runs a program and waits for its end. Its input is empty. When the action is "
            "cancelled, it is killed. The undo is taken back when the program could not be started "
            "or says by its exit code that it failed; not when it was killed, for then it may have "
            "done a part.",
     .example = R"(local ending = exec { "ip", "-brief", "link", within = "2s" }
log.debug(ending.out)
exec { "ip", "link", "set", "tap0", "up", undo = { "ip", "link", "set", "tap0", "down" } })"},
    {.name = "exec.try",
     .parameters = program_parameters,
     .returns = "ktm.Ending? ending: what it wrote, nil when it failed\n"
                "ktm.Error? error: why it failed",
     .contexts = in_actions,
     .waits = true,
     .since = 1,
     .doc = "As `exec`, but gives back whatever `exec` raises instead of raising it.",
     .example = R"(local ending, problem = exec.try { "/usr/lib/katamaran/probe" }
if ending == nil then log.warn("no probe: %s", problem) end)"},
    {.name = "fs.exists",
     .parameters = file_parameters,
     .returns = "boolean exists: whether it is a file that can be read, or a folder",
     .errors = "`invalid` `bad-argument`: no path of the kernel's.",
     .contexts = in_all_bodies,
     .since = 1,
     .doc = "Whether a file or folder of the kernel's is there. A file that is larger than 1 MiB, "
            "or that may not be read, is not.",
     .example = R"(if fs.exists("/sys/class/net/tap0") then log.info("the tap is there") end)"},
    {.name = "fs.read",
     .parameters = file_parameters,
     .returns = "string content: the whole file",
     .errors = "`invalid` `bad-argument`: no path of the kernel's.\n"
               "`io`, with the code of the system such as `ENOENT`: it cannot be read.\n"
               "`invalid` `too-large`: it is larger than 1 MiB.",
     .contexts = in_all_bodies,
     .since = 1,
     .doc = "Reads a file of the kernel's, and no other: paths with `..`, `root`, `cwd`, `exe`, "
            "`fd`, `map_files`, `mem` or `environ` between the slashes are refused as well.",
     .example = R"(local mtu = tonumber(fs.read("/sys/class/net/lo/mtu"))
log.info("mtu %d", mtu))"},
};

constexpr Parameter ending_fields[] = {
    {"out", "string", "What it wrote to stdout; the first MiB."},
    {"err", "string", "What it wrote to stderr; the first MiB."},
};
constexpr NamedType exec_types[] = {
    {.name = "ktm.Ending", .fields = ending_fields, .doc = "What a program has written."},
};

// --- Events and time
// ------------------------------------------------------------------------------

constexpr Parameter wait_parameters[] = {
    {"pattern", "table", "Which event, and how long."},
    {"[1]", "string", "The event, as in `on`."},
    {"[2]", "ktm.Duration?", "The longest time; without it as long as the action may run."},
    {".vm", "string?", "The VM whose event it is, as in `on`."},
    {"[string]", "string|number|boolean", "Must equal that field of the event's data."},
};
constexpr Parameter sleep_parameters[] = {
    {"duration", "ktm.Duration", "How long."},
};
constexpr Parameter timer_parameters[] = {
    {"duration", "ktm.Duration", "When, from now."},
    {"name", "string", "Small letters, digits, '-', '_' and '.'."},
};
constexpr Parameter every_parameters[] = {
    {"duration", "ktm.Duration", "The time between two events; at least 1 ms."},
    {"name", "string", "Small letters, digits, '-', '_' and '.'."},
};
constexpr Parameter cancel_parameters[] = {
    {"name", "string", "The timer's."},
};
constexpr Parameter emit_parameters[] = {
    {"event", "string", "\"word:word\" in small letters."},
    {"data", "table?", "The event's data, by names; an empty table without it."},
};

constexpr Word time_words[] = {
    {.name = "wait",
     .parameters = wait_parameters,
     .returns = "ktm.Event event: the event",
     .errors = "`timeout` `no-event`: it did not come in that time.\n"
               "`invalid` `bad-argument`: a part of the table is not what it must be.\n"
               "`invalid` `bad-duration`, `bad-quantity`, `too-large`: no duration.",
     .contexts = in_actions,
     .waits = true,
     .since = 1,
     .doc =
         "Waits for an event inside of an action. One that came since the action began, and that "
         "nobody has taken, counts; in an undo too. What is taken here is not seen by the `on`s "
         "of the state. The name of the event is not checked.",
     .example = R"(qmp("cont")
local event = wait { "RESUME", "2s" }
log.debug("%s came", event.name))"},
    {.name = "sleep",
     .parameters = sleep_parameters,
     .errors = "`invalid` `bad-duration`, `bad-quantity`, `too-large`: no duration.",
     .contexts = in_all_bodies,
     .waits = true,
     .since = 1,
     .doc = "Waits. Meanwhile events queue; more than 1024 of them are trouble.",
     .example = R"(sleep("100ms"))"},
    {.name = "timer.after",
     .parameters = timer_parameters,
     .errors = "`invalid` `bad-argument`: no name for a timer.\n"
               "`invalid` `bad-duration`, `bad-quantity`, `too-large`: no duration.",
     .contexts = in_actions,
     .since = 1,
     .doc = "Makes the event \"timer:NAME\" happen once, later. A timer goes on when the state is "
            "left, until the end of the run; a new one of the same name takes its place.",
     .example = R"(timer.after("30s", "patience"))"},
    {.name = "timer.every",
     .parameters = every_parameters,
     .errors = "`invalid` `bad-argument`: no name for a timer, or less than 1 ms.\n"
               "`invalid` `bad-duration`, `bad-quantity`, `too-large`: no duration.",
     .contexts = in_actions,
     .since = 1,
     .doc = "Makes the event \"timer:NAME\" happen again and again, as `timer.after` does once.",
     .example = R"(timer.every("1s", "tick"))"},
    {.name = "timer.cancel",
     .parameters = cancel_parameters,
     .errors = "`invalid` `bad-argument`: no name for a timer.",
     .contexts = in_actions,
     .since = 1,
     .doc = "Stops a timer; nothing when there is none. Its event may be in the queue already.",
     .example = R"(timer.cancel("tick"))"},
    {.name = "emit",
     .parameters = emit_parameters,
     .errors =
         "`invalid` `bad-argument`: no event of a plan, or data that is no table with names.\n"
         "`invalid` `no-json`: JSON cannot hold the data.\n"
         "`invalid` `runaway`: more than 1000 in a row without waiting for anything.",
     .contexts = in_actions,
     .since = 1,
     .doc = "Makes an event happen in this run. It queues behind those that have come already.",
     .example = R"(emit("copy:nearly", { left = 1048576 }))"},
    {.name = "now",
     .returns = "number time: milliseconds since the run began, exact to a microsecond",
     .contexts = in_all_bodies,
     .since = 1,
     .doc = "The time of the run, by a clock that never jumps.",
     .example = R"(local began = now()
qmp("stop")
log.info("%.1f ms", now() - began))"},
};

constexpr Parameter event_fields[] = {
    {"name", "string", "\"MIGRATION\", \"timer:tick\"."},
    {"vm", "string?", "The VM's name; nil for the default VM, and for what is no VM's."},
    {"data", "table", "What came with it; an empty table for nothing."},
};
constexpr NamedType time_types[] = {
    {.name = "ktm.Event", .fields = event_fields, .doc = "Something that happened."},
    {.name = "ktm.Duration",
     .means = "string|number",
     .doc = "A text with one of the units ns, us, ms, s, min, h, d, as in \"1.5s\"; or a number of "
            "milliseconds that is not negative."},
};

// --- Words to people
// ------------------------------------------------------------------------------

constexpr Parameter told_parameters[] = {
    {"format", "any", "As for `string.format`; alone it is said as it is."},
    {"...", "any", "The values."},
};
constexpr std::string_view told_errors = "Text: the values do not fit the format.";

constexpr Word log_words[] = {
    {.name = "log.debug",
     .parameters = told_parameters,
     .errors = told_errors,
     .contexts = in_all_bodies,
     .since = 1,
     .doc = "Says something to who looks for a fault in the plan.",
     .example = R"(log.debug("as it is: 100%"))"},
    {.name = "log.info",
     .parameters = told_parameters,
     .errors = told_errors,
     .contexts = in_all_bodies,
     .since = 1,
     .doc = "Says something to an operator.",
     .example = R"(log.info("%d disks are mirrored", 2))"},
    {.name = "log.warn",
     .parameters = told_parameters,
     .errors = told_errors,
     .contexts = in_all_bodies,
     .since = 1,
     .doc = "Says that something is not as it should be.",
     .example = R"(log.warn("the copy is slow: %s", "3 MB/s"))"},
    {.name = "log.error",
     .parameters = told_parameters,
     .errors = told_errors,
     .contexts = in_all_bodies,
     .since = 1,
     .doc = "Says that something has failed. It does not end anything; `error` does.",
     .example = R"(log.error("the tap is gone"))"},
    {.name = "progress",
     .parameters = told_parameters,
     .errors = told_errors,
     .contexts = in_actions,
     .since = 1,
     .doc = "Says how far it is; a display may show the last one alone.",
     .example = R"(progress("%d %% copied", 42))"},
};

}  // namespace

Topic exec_topic() {
    return {"exec", "Programs and files", "For what neither QEMU nor katamaran can do.",
            true,   exec_words,           exec_types};
}

Topic time_topic() {
    return {"time", "Events and time", "One action runs at a time; while it waits, events queue.",
            true,   time_words,        time_types};
}

Topic log_topic() {
    return {"log", "Words to people", "What is said here changes nothing in the run.",
            true,  log_words,         {}};
}

}  // namespace ktm::script
