---@meta
-- SPDX-License-Identifier: Apache-2.0
-- lua/meta/plan.lua: Declaring a plan, for editors.
-- Written by tools/api from src/script; a change by hand is lost.

---What `plan { … }` and `derive "x" { … }` make.
---@class ktm.Plan

---What `role "x" { … }` makes.
---@class ktm.Role

---What `state "x" { … }` makes.
---@class ktm.State

---What `on { … }` makes.
---@class ktm.On

---What `change "x" { … }`, `before "x" { … }` and `after "x" { … }` make.
---@class ktm.Change

---What `same_family { … }` and the other relations make.
---@class ktm.Relation

---@class ktm.plan.body
---@field name string The name of the plan and of its file: small letters, digits and '-'.
---@field api integer The version of the language: 1.
---@field summary string One sentence, for lists of plans.
---What a person can set, by name: small letters, digits and '_'; not note, hold or undo.
---@field vars? table<string,ktm.Var>
---@field relations? ktm.Relation[] What must hold between the vars.
---@field [integer] ktm.Role The roles; at least one.

---Declares a plan. The file returns it; the name of the file is that of the plan.
---
---At load. Since api 1.
---```lua
---return plan {
---  name = "pause", api = 1,
---  summary = "Stops the guest.",
---  vars = { qmp = var.path { doc = "QMP socket of the VM." } },
---  role "source" {
---    state "stop" { within = "5s",
---      enter = function() qmp("stop") end,
---      on { "STOP", go = "done" } },
---  },
---}
---```
---@param body ktm.plan.body The plan.
---@return ktm.Plan plan what the file returns
function plan(body) end

---@class ktm.role.body
---`var "NAME"`: the address, of type ip, of the other node. This role connects to the katamaran
---there, before the run begins.
---@field peer_to? ktm.Deadline
---`var "NAME"`: the address, of type ip, on which this role waits for the katamaran of the other
---node. One of the two keys; another role has the other one.
---@field peer_from? ktm.Deadline
---`var "NAME"`: the port, of type int and between 1 and 65535; without it 4445.
---@field peer_port? ktm.Deadline
---What is looked at before the run begins, with the words of [look](#looks). Inside `derive` it
---runs behind that of the parent.
---@field looks? fun(m:ktm.M)
---The states in reading order; the first is the start. Inside `derive`: the changes, in order.
---@field [integer] ktm.State|ktm.Change

---What one side does. A run has one role; the other side runs another one.
---
---At load. Since api 1.
---```lua
---role "dest" {
---  state "resume" { within = "5s", commits = true,
---    enter = function() qmp("cont") end,
---    on { "RESUME", go = "done" } },
---}
---```
---@param name string Small letters, digits, '-' and '_'.
---@return fun(body:ktm.role.body):ktm.Role make a part of a plan
function role(name) end

---@class ktm.state.body
---The deadline, which each state has: a text such as "10s", more than nothing and at most 30 days,
---or `var "NAME"`.
---@field within string|ktm.Deadline
---Where the deadline leads: a state or an end. Without it to `abort`, or to `stranded` where the
---commit lies behind.
---@field late? string
---@field enter? fun(m:ktm.M) The action upon entering.
---Where to go after `enter`: a state or an end. A state with `next` has no `on`.
---@field next? string
---The guest changes its owner here: entering the state drops the undos and keeps the holds; from
---there on trouble leads to `stranded`. On no way two of them commit.
---@field commits? boolean
---@field [integer] ktm.On What the state waits for. They are tried in order, first match wins.

---A step of a role. It runs `enter` and goes to `next`, or waits for what its `on`s name. Edges
---lead to states of the same role or to the ends: `done`, `abort` (the undos run, newest first),
---`stranded` (nothing runs, holds stay). A state has `next`, an `on` or a written `late`. Inside
---`derive` it takes the place of the parent's state of that name.
---
---At load. Since api 1.
---```lua
---state "precopy" { within = var "patience", late = "abort",
---  enter = function(m) qmp("migrate", { uri = m.uri }) end,
---  on { "MIGRATION", status = "completed", go = "done" },
---  on { "MIGRATION", status = "failed", go = "abort" },
---}
---```
---@param name string Small letters, digits, '-' and '_'; not done, abort or stranded.
---@return fun(body:ktm.state.body):ktm.State make a part of a role
function state(name) end

---@class ktm.on.body
---The event: QEMU's own in capitals, as in "MIGRATION", or "word:word" in small letters.
---@field [1] string
---@field go? string Where to go: a state or an end. Without it the state stays.
---@field run? fun(m:ktm.M,event:ktm.Event) The action upon the event, before `go`.
---The VM whose event it is, by the name given to `qmp.connect`. Without it: the default VM's
---events, and those of no VM.
---@field vm? string
---@field [string] string|number|boolean Must equal that field of the event's data.

---What happens upon an event: `run`, `go` or both. Beside QEMU's events there are "timer:NAME" of
---`timer`, what the plan itself gives to `emit`, "signal:USR1" and "signal:USR2", and "qmp:lost"
---when the connection to a VM has ended, which without an `on` is trouble. Any other event that no
---`on` wants is dropped, and reported.
---
---At load. Since api 1.
---```lua
---on { "MIGRATION", status = "failed", go = "abort",
---  run = function(m, event)
---    m.note.failed_on = event.vm
---    log.error("it has failed: %s", event.data.status)
---  end,
---}
---```
---@param body ktm.on.body What is waited for, and what then.
---@return ktm.On on a part of a state
function on(body) end

---@class ktm.derive.body
---@field name string The name of the new plan and of its file.
---@field summary? string Without it the parent's.
---A value is a new default for a var of the parent. A `var.TYPE { … }` is a new var, or takes the
---place of the parent's.
---@field vars? table<string,any>
---@field relations? ktm.Relation[] Beside those of the parent.
---@field [integer] ktm.Role Changes in the roles of the parent.

---Declares a plan by its difference to another one; the result is checked as a whole. Changes are
---applied in order, each to what the ones before it have made. A parent may be derived itself; the
---chain ends at 8 parents.
---
---At load. Since api 1.
---```lua
---return derive "shared-storage" {
---  name = "patient-storage",
---  vars = { patience = "4h" },
---  role "source" {
---    change "precopy" { late = "abort" },
---    after "precopy" {
---      state "settle" { within = "5s",
---        enter = function() sleep("1s") end,
---        next = "divert" },
---    },
---  },
---}
---```
---@param parent string A plan: beside this file, or in the search path; never this file itself.
---@return fun(body:ktm.derive.body):ktm.Plan make what the file returns
function derive(parent) end

---@class ktm.change.body
---@field within string|ktm.Deadline|nil A new deadline.
---@field late? string Where the deadline leads.
---@field enter? fun(m:ktm.M) Another action upon entering.
---@field next? string Where to go after `enter`.
---@field commits? boolean Whether the guest changes its owner here.
---One for the same event with the same fields takes the place of the parent's; all others are tried
---before the parent's.
---@field [integer] ktm.On

---Replaces the given keys of a state of the parent, and keeps the others. An edge or an action
---cannot be taken away like this; a whole `state` can.
---
---At load. Since api 1.
---```lua
---change "precopy" { within = "2h",
---  on { "timer:tick", run = function() progress("still copying") end },
---}
---```
---@param name string The state of the parent.
---@return fun(body:ktm.change.body):ktm.Change make a part of a role inside derive
function change(name) end

---@class ktm.before.body
---@field [1] ktm.State One state with a name that the parent does not have.

---Puts a new state before a state of the parent: every edge of other states that leads to that one
---leads to the new one instead. Before the first state it is the start.
---
---At load. Since api 1.
---```lua
---before "handover" {
---  state "verify" { within = "5s",
---    enter = function() exec { "/usr/lib/katamaran/verify" } end,
---    next = "handover" },
---}
---```
---@param name string The state of the parent.
---@return fun(body:ktm.before.body):ktm.Change make a part of a role inside derive
function before(name) end

---@class ktm.after.body
---@field [1] ktm.State One state with a name that the parent does not have.

---Puts a new state behind a state of the parent: the edges of that one to the state behind it, in
---reading order, lead to the new one instead. There must be such an edge.
---
---At load. Since api 1.
---```lua
---after "precopy" {
---  state "settle" { within = "5s",
---    enter = function() sleep("1s") end,
---    next = "divert" },
---}
---```
---@param name string The state of the parent.
---@return fun(body:ktm.after.body):ktm.Change make a part of a role inside derive
function after(name) end

---@class ktm.same_family.body
---@field [integer] string Names of vars, each once; at least two, or one list of ip.

---All addresses are of one IP family; for vars of type ip, ips or list of ip. "::" goes with both
---families.
---
---At load. Since api 1.
---```lua
---same_family { "dest_ip", "listen_ip" }
---```
---@param body ktm.same_family.body The vars.
---@return ktm.Relation relation for relations = { … }
function same_family(body) end

---@class ktm.ascending.body
---@field [integer] string Names of vars, each once; at least two.

---Each is at most the next; for vars of one of the types duration, size, rate and int.
---
---At load. Since api 1.
---```lua
---ascending { "downtime", "patience" }
---```
---@param body ktm.ascending.body The vars.
---@return ktm.Relation relation for relations = { … }
function ascending(body) end

---@class ktm.together.body
---@field [integer] string Names of vars, each once; at least two.

---All of them are given, or none; for vars with optional = true.
---
---At load. Since api 1.
---```lua
---together { "tls_folder", "tls_name" }
---```
---@param body ktm.together.body The vars.
---@return ktm.Relation relation for relations = { … }
function together(body) end

---@class ktm.one_of.body
---@field [integer] string Names of vars, each once; at least two.

---Exactly one of them is given; for vars with optional = true.
---
---At load. Since api 1.
---```lua
---one_of { "netns", "container" }
---```
---@param body ktm.one_of.body The vars.
---@return ktm.Relation relation for relations = { … }
function one_of(body) end

---@class ktm.different.body
---@field [integer] string Names of vars, each once; at least two.

---No two of those that have a value are equal.
---
---At load. Since api 1.
---```lua
---different { "tap", "uplink" }
---```
---@param body ktm.different.body The vars.
---@return ktm.Relation relation for relations = { … }
function different(body) end

---Loads NAME.lua of the standard library or, when it is not there, beside the plan. A module is run
---once for each plan. It sees the words that a plan sees.
---
---At load. Since api 1.
---
---Raises:
---- `invalid` `bad-module`: the name has no legal form, or the module returns nothing.
---- `invalid` `no-module`: it is neither in the standard library nor beside the plan.
---- `invalid` `module-cycle`: it requires itself.
---- What the module itself raises, and `io` when its file cannot be read.
---```lua
---local copy = require "copy"
---return copy
---```
---@param name string Small letters, digits, '-' and '_'; at most 64 of them.
---@return any module what the file of the module returns, the same value each time
function require(name) end
