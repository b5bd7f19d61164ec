// SPDX-License-Identifier: Apache-2.0
// script/api_machine.cc: what an action is given, and the virtual machines, described.
#include "script/api_topics.hh"

namespace ktm::script {

namespace {

// --- m
// --------------------------------------------------------------------------------------------

constexpr Parameter hold_handle_parameters[] = {
    {"handle", "ktm.Handle", "What is held."},
    {"options", "table?", "How it is released."},
    {".within", "ktm.Duration?", "How long the release may take; 10 s without it."},
};
constexpr Parameter undo_parameters[] = {
    {"what", "string", "What it does, for people: \"wake the guest\"."},
    {"action", "fun(m:ktm.M)", "What is run; it may wait."},
    {"options", "table?", "How it is run."},
    {".within", "ktm.Duration?", "How long it may take; 10 s without it."},
};

constexpr Word machine_words[] = {
    {.name = "m",
     .returns = "ktm.M: the first argument of `enter`, of `run` and of undos",
     .errors = "Text: it is assigned to.",
     .contexts = in_actions,
     .since = 1,
     .doc = "The vars of the run, a place for notes, and the ledger of what must be undone. It "
            "cannot be changed, and `pairs` finds nothing in it.",
     .example = R"(log.info("%s, at most %d ms", m.tap, m.downtime))"},
    {.name = "m.NAME",
     .returns = "any: the value of a var, nil for an optional one without a value",
     .errors = "Text: the plan has no such var, or it belongs to another role.",
     .contexts = in_actions,
     .since = 1,
     .doc = "A duration is a number of milliseconds, a size a number of bytes, a rate a number of "
            "bytes per second, a list a table; what they are called in the plan is said at their "
            "types.",
     .example = R"(qmp("migrate-set-parameters", { ["downtime-limit"] = m.downtime }))"},
    {.name = "m.note",
     .returns = "table: the plan's own notes, one table for the whole run",
     .contexts = in_actions,
     .since = 1,
     .doc = "For values that one action leaves to another, undos included.",
     .example = R"(m.note.began = now())"},
    {.name = "m:hold",
     .parameters = hold_handle_parameters,
     .returns = "ktm.Handle handle: the same one; its release() also ends the hold",
     .errors = "`invalid` `bad-argument`: the options are no table.\n"
               "`invalid` `bad-duration`, `bad-quantity`, `too-large`: `within` is no duration.\n"
               "Text: it is no handle.",
     .contexts = in_actions,
     .since = 1,
     .doc = "Registers what must be given back. It is released at the end, newest first, on abort "
            "among the undos; at `stranded` it stays, and is reported. The plan may call "
            "`handle.release()` before; a second call does nothing.",
     .example = R"(m.note.lock = m:hold {
  what = "the lock of the disk",
  release = function() exec { "/usr/lib/katamaran/unlock" } end,
})"},
    {.name = "m:undo",
     .parameters = undo_parameters,
     .returns = "ktm.Undo undo: so that it can be dropped",
     .errors = "`invalid` `bad-argument`: `what` is no text, `action` no function, or the options "
               "are no table.\n"
               "`invalid` `bad-duration`, `bad-quantity`, `too-large`: `within` is no duration.",
     .contexts = in_actions,
     .since = 1,
     .doc = "Registers what is run when the plan aborts, newest first. The commit and the end "
            "`done` drop it; one that is registered behind the commit is dropped at once, and "
            "reported. One that fails or is late is reported, and the others run. Register it "
            "before what it undoes: what fails half-way must be undone, too. With "
            "`qmp.wake`, `qmp.quit` or what `qmp.restore` gives as its action it stands in the "
            "journal, and `katamaran recover` carries it out when we are killed.",
     .example =
         R"(m:undo("cancel the copy", function() qmp("migrate_cancel") end, { within = "5s" })
qmp("migrate", { uri = m.uri }))"},
};

constexpr Parameter handle_fields[] = {
    {"what", "string", "What it is, for people: \"the lock of the disk\"."},
    {"release", "fun(handle:ktm.Handle)", "Gives it back; it may wait."},
};

constexpr Parameter undo_fields[] = {
    {"what", "string", "What it does, for people."},
    {"drop", "fun()",
     "It must not be undone any more. Of an undo in the journal an error when that cannot be "
     "written there: then it still is one."},
};

constexpr NamedType machine_types[] = {
    {.name = "ktm.Undo", .fields = undo_fields, .doc = "What is undone on abort."},
    {.name = "ktm.Handle",
     .fields = handle_fields,
     .doc = "Something that was acquired: a table with a text and a function."},
};

// --- qmp
// ------------------------------------------------------------------------------------------

constexpr Parameter command_parameters[] = {
    {"command", "string", "The name as it is on the wire."},
    {"arguments", "table?", "By their names on the wire; none without it."},
    {"options", "table?", "How long to wait."},
    {".within", "ktm.Duration?", "The longest time; without it as long as the action may run."},
};
constexpr Parameter enable_parameters[] = {
    {"...", "string", "Names of migration capabilities."},
};
constexpr const char* wake_errors =
    "`usage` `no-vm`: the plan has no var `qmp`.\n"
    "`io`, with the code of the system such as `ENOENT`: the connection was lost, and there is no "
    "other one.";
constexpr const char* quit_errors =
    "`usage` `no-vm`: the plan has no var `qmp`.\n"
    "`io`, with the code of the system such as `EACCES`: the connection was lost, and another one "
    "could not be had. Where nobody listens any more QEMU has ended, and that is no error.";

constexpr Parameter restore_parameters[] = {
    {"before", "table", "What is to be as it was; at least one of these."},
    {".job", "string?", "A block job that is not to be there."},
    {".node", "string?", "A block node that is not to be there."},
    {".capabilities", "table?", "Of the migration: names, and true or false."},
    {".parameters", "table?", "Of the migration: names and values."},
    {".object", "string?", "An object that is not to be there."},
};
constexpr Parameter connect_parameters[] = {
    {"path", "string", "The monitor: the path of a unix socket."},
    {"name", "string", "What the VM is called in events, errors and the recording."},
};

constexpr std::string_view command_argument_errors =
    "`invalid` `bad-argument`: the command is no text, or the arguments or options no table.\n"
    "`invalid` `no-json`: JSON cannot hold the arguments; the text names the place.\n"
    "`invalid` `bad-duration`, `bad-quantity`, `too-large`: `within` is no duration.\n"
    "`lost` `no-vm`: there is no such VM: no var `qmp` of type path, or it was released.";
constexpr std::string_view command_errors =
    "`refused`, with QEMU's class as the code: QEMU said no.\n"
    "`timeout` `no-reply`: no reply `within` that time; it may have been carried out.\n"
    "`lost` `connection-lost`: the connection has ended; it may have been carried out. `protocol` "
    "when it ended because QEMU broke the protocol.\n"
    "`usage` `too-many-commands`: too many wait for their replies.\n"
    "`invalid` `bad-argument`: the command is no text, or the arguments or options no table.\n"
    "`invalid` `no-json`: JSON cannot hold the arguments; the text names the place.\n"
    "`invalid` `bad-duration`, `bad-quantity`, `too-large`: `within` is no duration.\n"
    "`lost` `no-vm`: there is no such VM: no var `qmp` of type path, or it was released.";
constexpr std::string_view enable_errors = "As `qmp`.";

constexpr std::string_view result_value =
    "any result: what QEMU returned; mostly a table, an empty one for nothing";
constexpr std::string_view tried_values =
    "any result: what QEMU returned, nil when it failed\n"
    "ktm.Error? error: why it failed";

constexpr Word qmp_words[] = {
    {.name = "qmp",
     .parameters = command_parameters,
     .returns = result_value,
     .errors = command_errors,
     .contexts = in_all_bodies,
     .waits = true,
     .since = 1,
     .doc =
         "Runs a command on the default VM and waits for the reply. The default VM is the one at "
         "the path in the var `qmp`. Names and arguments go to QEMU as they are written.",
     .example = R"(local status = qmp("query-status")
log.info("the guest is %s", status.status)
qmp("migrate-set-parameters", { ["downtime-limit"] = 25 }, { within = "2s" }))"},
    {.name = "qmp.try",
     .parameters = command_parameters,
     .returns = tried_values,
     .errors = command_argument_errors,
     .contexts = in_all_bodies,
     .waits = true,
     .since = 1,
     .doc = "As `qmp`, but gives back why it failed instead of raising it, cancellation included. "
            "What is wrong with the call itself is raised.",
     .example = R"(local status, problem = qmp.try("query-status")
if status == nil then log.warn("no status: %s", problem) end)"},
    {.name = "qmp.enable",
     .parameters = enable_parameters,
     .errors = enable_errors,
     .contexts = in_actions,
     .waits = true,
     .since = 1,
     .doc = "Switches migration capabilities on, in one command. Others stay as they are.",
     .example = R"(qmp.enable("events", "pause-before-switchover"))"},
    {.name = "qmp.wake",
     .errors = wake_errors,
     .contexts = in_actions,
     .waits = true,
     .since = 1,
     .doc = "Lets the guest run here: cancels a copy of it that is under way, waits for its end, "
            "and continues the guest if it stands, again and again as long as QEMU refuses. Does "
            "nothing to a guest that runs and is not copied. For an undo, above all.",
     .example = R"(m:undo("wake the guest", qmp.wake)
qmp("stop"))"},
    {.name = "qmp.quit",
     .errors = quit_errors,
     .contexts = in_actions,
     .waits = true,
     .since = 1,
     .doc = "Ends this QEMU: one that waited for a guest which stays where it was.",
     .example = R"(m:undo("end the QEMU that waits", qmp.quit)
qmp("migrate-incoming", { uri = "tcp:192.0.2.7:4444" }))"},
    {.name = "qmp.restore",
     .parameters = restore_parameters,
     .returns = "function action: for an undo; it can also be called",
     .errors = "`invalid` `bad-argument`: nothing that can be put back, or a part of it is not "
               "what it must be.\n"
               "`invalid` `no-json`: JSON cannot hold it; the text names the place.",
     .contexts = in_actions,
     .since = 1,
     .doc = "Makes an undo of what a plan changes in QEMU. When it is carried out it looks first, "
            "and does what is still to be done: ends the block job and waits until it is gone, "
            "removes the block node, puts capabilities and parameters of the migration back, and "
            "removes the object, again and again as long as QEMU refuses.",
     .example =
         R"(m:undo("put the limit back", qmp.restore { parameters = { ["downtime-limit"] = 300 } })
qmp("migrate-set-parameters", { ["downtime-limit"] = 25 }))"},
    {.name = "qmp.reconnect",
     .errors = "`usage` `no-vm`: the plan has no var `qmp`.\n"
               "`io`, with the code of the system such as `EACCES`: the socket is not for us.",
     .contexts = in_actions,
     .waits = true,
     .since = 1,
     .doc = "Connects to the default VM again when its connection was lost: to a QEMU that was "
            "begun anew at the same socket. As long as nobody is there it is tried again. Does "
            "nothing where the connection stands.",
     .example = R"(exec { "/usr/local/bin/start-qemu", within = "20s" }
qmp.reconnect())"},
    {.name = "qmp.connect",
     .parameters = connect_parameters,
     .returns = "ktm.Vm vm: another VM",
     .errors = "`io`, with the code of the system such as `ENOENT`: no connection.\n"
               "`timeout` `no-connection`, `no-greeting`, `no-negotiation`: no answer in time.\n"
               "`protocol` `bad-greeting`, `negotiation-refused` and others: it is no monitor of "
               "QEMU.\n"
               "`lost` `connection-lost`: the other side has closed it.\n"
               "`invalid` `bad-argument`: path or name is no text, or the name is taken or empty.\n"
               "`invalid` `bad-address`, `path-too-long`: no path of a socket.",
     .contexts = in_actions,
     .waits = true,
     .since = 1,
     .doc =
         "Connects to the monitor of another VM and waits until it can be used. Its events carry "
         "the name; `on` and `wait` ask for them with `vm = \"NAME\"`. The connection stays for "
         "the rest of the run. When it is lost and the state has no `on` for \"qmp:lost\" of "
         "this VM, that is trouble.",
     .example = R"(local helper = qmp.connect("/run/helper.qmp", "helper")
helper("cont")
wait { "RESUME", "2s", vm = "helper" })"},
};

// --- vm
// -------------------------------------------------------------------------------------------

constexpr Word vm_words[] = {
    {.name = "vm",
     .parameters = command_parameters,
     .returns = result_value,
     .errors = command_errors,
     .contexts = in_actions,
     .waits = true,
     .since = 1,
     .doc = "Runs a command on this VM; as `qmp`.",
     .example = R"(local vm = qmp.connect("/run/helper.qmp", "helper")
vm("system_powerdown"))"},
    {.name = "vm.try",
     .parameters = command_parameters,
     .returns = tried_values,
     .errors = command_argument_errors,
     .contexts = in_actions,
     .waits = true,
     .since = 1,
     .doc = "As `qmp.try`, for this VM.",
     .example = R"(local vm = qmp.connect("/run/helper.qmp", "helper")
local _, problem = vm.try("cont")
if problem then log.warn("%s", problem) end)"},
    {.name = "vm.enable",
     .parameters = enable_parameters,
     .errors = enable_errors,
     .contexts = in_actions,
     .waits = true,
     .since = 1,
     .doc = "As `qmp.enable`, for this VM.",
     .example = R"(local vm = qmp.connect("/run/helper.qmp", "helper")
vm.enable("events"))"},
    {.name = "vm.name",
     .returns = "string: the name that was given to qmp.connect",
     .contexts = in_actions,
     .since = 1,
     .doc = "What the VM is called in events.",
     .example = R"(local vm = qmp.connect("/run/helper.qmp", "helper")
wait { "SHUTDOWN", "10s", vm = vm.name })"},
    {.name = "vm.release",
     .contexts = in_actions,
     .since = 1,
     .doc =
         "Ends the connection; the name is free again. A second call does nothing. At the end of "
         "the run each connection ends by itself.",
     .example = R"(local vm = qmp.connect("/run/helper.qmp", "helper")
vm("system_powerdown")
vm.release())"},
};

}  // namespace

Topic machine_topic() {
    return {"m",
            "What an action is given",
            "`enter` and undos are called with `m`, `run` with `m` and the event.",
            false,
            machine_words,
            machine_types};
}

Topic qmp_topic() {
    return {"qmp",
            "Virtual machines",
            "A command in QMP waits for its reply. In a reply, null is absent from objects and "
            "false in arrays, and numbers are exact up to 2^53.",
            true,
            qmp_words,
            {}};
}

Topic vm_topic() {
    return {"vm",
            "Another virtual machine",
            "What `qmp.connect` gives back; here it is called `vm`.",
            false,
            vm_words,
            {}};
}

}  // namespace ktm::script
