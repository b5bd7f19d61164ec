// SPDX-License-Identifier: Apache-2.0
// script/api_declare.cc: the words with which a plan is declared, described.
#include "script/api_topics.hh"

namespace ktm::script {

namespace {

// --- plan, role, state, on
// ------------------------------------------------------------------------

constexpr Parameter plan_parameters[] = {
    {"body", "table", "The plan."},
    {".name", "string", "The name of the plan and of its file: small letters, digits and '-'."},
    {".api", "integer", "The version of the language: 1."},
    {".summary", "string", "One sentence, for lists of plans."},
    {".vars", "table<string,ktm.Var>?",
     "What a person can set, by name: small letters, digits and '_'; not note, hold or undo."},
    {".relations", "ktm.Relation[]?", "What must hold between the vars."},
    {"[integer]", "ktm.Role", "The roles; at least one."},
};

constexpr Parameter role_parameters[] = {
    {"name", "string", "Small letters, digits, '-' and '_'."},
    {"body", "table", "What the role does."},
    {".peer_to", "ktm.Deadline?",
     "`var \"NAME\"`: the address, of type ip, of the other node. This role connects to the "
     "katamaran there, before the run begins."},
    {".peer_from", "ktm.Deadline?",
     "`var \"NAME\"`: the address, of type ip, on which this role waits for the katamaran of the "
     "other node. One of the two keys; another role has the other one."},
    {".peer_port", "ktm.Deadline?",
     "`var \"NAME\"`: the port, of type int and between 1 and 65535; without it 4445."},
    {".looks", "fun(m:ktm.M)?",
     "What is looked at before the run begins, with the words of [look](#looks). Inside `derive` "
     "it "
     "runs behind that of the parent."},
    {"[integer]", "ktm.State|ktm.Change",
     "The states in reading order; the first is the start. Inside `derive`: the changes, in "
     "order."},
};

constexpr Parameter state_parameters[] = {
    {"name", "string", "Small letters, digits, '-' and '_'; not done, abort or stranded."},
    {"body", "table", "What happens in it."},
    {".within", "string|ktm.Deadline",
     "The deadline, which each state has: a text such as \"10s\", more than nothing and at most 30 "
     "days, or `var \"NAME\"`."},
    {".late", "string?",
     "Where the deadline leads: a state or an end. Without it to `abort`, or to `stranded` where "
     "the commit lies behind."},
    {".enter", "fun(m:ktm.M)?", "The action upon entering."},
    {".next", "string?",
     "Where to go after `enter`: a state or an end. A state with `next` has no `on`."},
    {".commits", "boolean?",
     "The guest changes its owner here: entering the state drops the undos and keeps the holds; "
     "from there on trouble leads to `stranded`. On no way two of them commit."},
    {"[integer]", "ktm.On", "What the state waits for. They are tried in order, first match wins."},
};

constexpr Parameter on_parameters[] = {
    {"body", "table", "What is waited for, and what then."},
    {"[1]", "string",
     "The event: QEMU's own in capitals, as in \"MIGRATION\", or \"word:word\" in small letters."},
    {".go", "string?", "Where to go: a state or an end. Without it the state stays."},
    {".run", "fun(m:ktm.M,event:ktm.Event)?", "The action upon the event, before `go`."},
    {".vm", "string?",
     "The VM whose event it is, by the name given to `qmp.connect`. Without it: the default VM's "
     "events, and those of no VM."},
    {"[string]", "string|number|boolean", "Must equal that field of the event's data."},
};

// --- derive
// ---------------------------------------------------------------------------------------

constexpr Parameter derive_parameters[] = {
    {"parent", "string",
     "A plan: beside this file, or in the search path; never this file itself."},
    {"body", "table", "What is different."},
    {".name", "string", "The name of the new plan and of its file."},
    {".summary", "string?", "Without it the parent's."},
    {".vars", "table<string,any>?",
     "A value is a new default for a var of the parent. A `var.TYPE { … }` is a new var, or takes "
     "the place of the parent's."},
    {".relations", "ktm.Relation[]?", "Beside those of the parent."},
    {"[integer]", "ktm.Role", "Changes in the roles of the parent."},
};

constexpr Parameter change_parameters[] = {
    {"name", "string", "The state of the parent."},
    {"body", "table", "The keys that are different; they are those of `state`."},
    {".within", "string|ktm.Deadline|nil", "A new deadline."},
    {".late", "string?", "Where the deadline leads."},
    {".enter", "fun(m:ktm.M)?", "Another action upon entering."},
    {".next", "string?", "Where to go after `enter`."},
    {".commits", "boolean?", "Whether the guest changes its owner here."},
    {"[integer]", "ktm.On",
     "One for the same event with the same fields takes the place of the parent's; all others are "
     "tried before the parent's."},
};

constexpr Parameter insertion_parameters[] = {
    {"name", "string", "The state of the parent."},
    {"body", "table", "The new state."},
    {"[1]", "ktm.State", "One state with a name that the parent does not have."},
};

// --- Relations, require
// ---------------------------------------------------------------------------

constexpr Parameter relation_parameters[] = {
    {"body", "table", "The vars."},
    {"[integer]", "string", "Names of vars, each once; at least two."},
};
constexpr Parameter same_family_parameters[] = {
    {"body", "table", "The vars."},
    {"[integer]", "string", "Names of vars, each once; at least two, or one list of ip."},
};
constexpr Parameter require_parameters[] = {
    {"name", "string", "Small letters, digits, '-' and '_'; at most 64 of them."},
};

constexpr Word declaring_words[] = {
    {.name = "plan",
     .parameters = plan_parameters,
     .returns = "ktm.Plan plan: what the file returns",
     .contexts = at_load,
     .since = 1,
     .doc = "Declares a plan. The file returns it; the name of the file is that of the plan.",
     .example = R"(return plan {
  name = "pause", api = 1,
  summary = "Stops the guest.",
  vars = { qmp = var.path { doc = "QMP socket of the VM." } },
  role "source" {
    state "stop" { within = "5s",
      enter = function() qmp("stop") end,
      on { "STOP", go = "done" } },
  },
})"},
    {.name = "role",
     .parameters = role_parameters,
     .returns = "ktm.Role role: a part of a plan",
     .contexts = at_load,
     .since = 1,
     .doc = "What one side does. A run has one role; the other side runs another one.",
     .example = R"(role "dest" {
  state "resume" { within = "5s", commits = true,
    enter = function() qmp("cont") end,
    on { "RESUME", go = "done" } },
})"},
    {.name = "state",
     .parameters = state_parameters,
     .returns = "ktm.State state: a part of a role",
     .contexts = at_load,
     .since = 1,
     .doc =
         "A step of a role. It runs `enter` and goes to `next`, or waits for what its `on`s name. "
         "Edges lead to states of the same role or to the ends: `done`, `abort` (the undos run, "
         "newest first), `stranded` (nothing runs, holds stay). A state has `next`, an `on` or a "
         "written `late`. Inside `derive` it takes the place of the parent's state of that name.",
     .example = R"(state "precopy" { within = var "patience", late = "abort",
  enter = function(m) qmp("migrate", { uri = m.uri }) end,
  on { "MIGRATION", status = "completed", go = "done" },
  on { "MIGRATION", status = "failed", go = "abort" },
})"},
    {.name = "on",
     .parameters = on_parameters,
     .returns = "ktm.On on: a part of a state",
     .contexts = at_load,
     .since = 1,
     .doc = "What happens upon an event: `run`, `go` or both. Beside QEMU's events there are "
            "\"timer:NAME\" of `timer`, what the plan itself gives to `emit`, \"signal:USR1\" "
            "and \"signal:USR2\", and \"qmp:lost\" when the connection to a VM has "
            "ended, which without an `on` is trouble. Any other event that no `on` wants is "
            "dropped, and reported.",
     .example = R"(on { "MIGRATION", status = "failed", go = "abort",
  run = function(m, event)
    m.note.failed_on = event.vm
    log.error("it has failed: %s", event.data.status)
  end,
})"},
    {.name = "derive",
     .parameters = derive_parameters,
     .returns = "ktm.Plan plan: what the file returns",
     .contexts = at_load,
     .since = 1,
     .doc = "Declares a plan by its difference to another one; the result is checked as a whole. "
            "Changes are applied in order, each to what the ones before it have made. A parent may "
            "be derived itself; the chain ends at 8 parents.",
     .example = R"(return derive "shared-storage" {
  name = "patient-storage",
  vars = { patience = "4h" },
  role "source" {
    change "precopy" { late = "abort" },
    after "precopy" {
      state "settle" { within = "5s",
        enter = function() sleep("1s") end,
        next = "divert" },
    },
  },
})"},
    {.name = "change",
     .parameters = change_parameters,
     .returns = "ktm.Change change: a part of a role inside derive",
     .contexts = at_load,
     .since = 1,
     .doc = "Replaces the given keys of a state of the parent, and keeps the others. An edge or an "
            "action cannot be taken away like this; a whole `state` can.",
     .example = R"(change "precopy" { within = "2h",
  on { "timer:tick", run = function() progress("still copying") end },
})"},
    {.name = "before",
     .parameters = insertion_parameters,
     .returns = "ktm.Change change: a part of a role inside derive",
     .contexts = at_load,
     .since = 1,
     .doc = "Puts a new state before a state of the parent: every edge of other states that leads "
            "to that one leads to the new one instead. Before the first state it is the start.",
     .example = R"(before "handover" {
  state "verify" { within = "5s",
    enter = function() exec { "/usr/lib/katamaran/verify" } end,
    next = "handover" },
})"},
    {.name = "after",
     .parameters = insertion_parameters,
     .returns = "ktm.Change change: a part of a role inside derive",
     .contexts = at_load,
     .since = 1,
     .doc = "Puts a new state behind a state of the parent: the edges of that one to the state "
            "behind it, in reading order, lead to the new one instead. There must be such an edge.",
     .example = R"(after "precopy" {
  state "settle" { within = "5s",
    enter = function() sleep("1s") end,
    next = "divert" },
})"},
    {.name = "same_family",
     .parameters = same_family_parameters,
     .returns = "ktm.Relation relation: for relations = { … }",
     .contexts = at_load,
     .since = 1,
     .doc = "All addresses are of one IP family; for vars of type ip, ips or list of ip. \"::\" "
            "goes with both families.",
     .example = R"(same_family { "dest_ip", "listen_ip" })"},
    {.name = "ascending",
     .parameters = relation_parameters,
     .returns = "ktm.Relation relation: for relations = { … }",
     .contexts = at_load,
     .since = 1,
     .doc = "Each is at most the next; for vars of one of the types duration, size, rate and int.",
     .example = R"(ascending { "downtime", "patience" })"},
    {.name = "together",
     .parameters = relation_parameters,
     .returns = "ktm.Relation relation: for relations = { … }",
     .contexts = at_load,
     .since = 1,
     .doc = "All of them are given, or none; for vars with optional = true.",
     .example = R"(together { "tls_folder", "tls_name" })"},
    {.name = "one_of",
     .parameters = relation_parameters,
     .returns = "ktm.Relation relation: for relations = { … }",
     .contexts = at_load,
     .since = 1,
     .doc = "Exactly one of them is given; for vars with optional = true.",
     .example = R"(one_of { "netns", "container" })"},
    {.name = "different",
     .parameters = relation_parameters,
     .returns = "ktm.Relation relation: for relations = { … }",
     .contexts = at_load,
     .since = 1,
     .doc = "No two of those that have a value are equal.",
     .example = R"(different { "tap", "uplink" })"},
    {.name = "require",
     .parameters = require_parameters,
     .returns = "any module: what the file of the module returns, the same value each time",
     .errors =
         "`invalid` `bad-module`: the name has no legal form, or the module returns nothing.\n"
         "`invalid` `no-module`: it is neither in the standard library nor beside the plan.\n"
         "`invalid` `module-cycle`: it requires itself.\n"
         "What the module itself raises, and `io` when its file cannot be read.",
     .contexts = at_load,
     .since = 1,
     .doc = "Loads NAME.lua of the standard library or, when it is not there, beside the plan. A "
            "module is run once for each plan. It sees the words that a plan sees.",
     .example = R"(local copy = require "copy"
return copy)"},
};

constexpr NamedType declared_types[] = {
    {.name = "ktm.Plan", .doc = "What `plan { … }` and `derive \"x\" { … }` make."},
    {.name = "ktm.Role", .doc = "What `role \"x\" { … }` makes."},
    {.name = "ktm.State", .doc = "What `state \"x\" { … }` makes."},
    {.name = "ktm.On", .doc = "What `on { … }` makes."},
    {.name = "ktm.Change",
     .doc = "What `change \"x\" { … }`, `before \"x\" { … }` and `after \"x\" { … }` make."},
    {.name = "ktm.Relation", .doc = "What `same_family { … }` and the other relations make."},
};

}  // namespace

Topic plan_topic() {
    return {"plan",
            "Declaring a plan",
            "A plan file returns a declaration. To load it has no effect: it can be shown, drawn "
            "and checked where there is no VM. These words make the parts of it and raise nothing; "
            "what is wrong with the parts is reported by whoever loads the plan, with file and "
            "line, all of it at once. Reading order is running order.",
            true,
            declaring_words,
            declared_types};
}

}  // namespace ktm::script
