---@meta
-- SPDX-License-Identifier: Apache-2.0
-- lua/meta/look.lua: Looks, for editors.
-- Written by tools/api from src/script; a change by hand is lost.

---@class ktm.word.look
look = {}

---This is as it must be. A run keeps it in its recording alone.
---
---In looks. Since api 1.
---
---Raises:
---- `invalid` `bad-argument`: one of them is no text.
---- `invalid` `runaway`: there are 500 findings already.
---```lua
---look.ok("tap0", "a QEMU has it open")
---```
---@param what string What it is: "tap0", "memory".
---@param saw string What it is like: "nobody has it open".
function look.ok(what, saw) end

---This is told, and is no reason not to begin.
---
---In looks. Since api 1.
---
---Raises:
---- `invalid` `bad-argument`: one of them is no text.
---- `invalid` `runaway`: there are 500 findings already.
---```lua
---look.warn("kernel", "it has no plug", "load sch_plug")
---```
---@param what string What it is: "tap0", "memory".
---@param saw string What it is like: "nobody has it open".
---@param remedy string What a person can do about it.
function look.warn(what, saw, remedy) end

---With this the run does not begin. The looks go on, so that all is told at once.
---
---In looks. Since api 1.
---
---Raises:
---- `invalid` `bad-argument`: one of them is no text.
---- `invalid` `runaway`: there are 500 findings already.
---```lua
---local link = net.link { "tap0" }
---if not link then look.bad("tap0", "there is no such interface", "see --var tap=") end
---```
---@param what string What it is: "tap0", "memory".
---@param saw string What it is like: "nobody has it open".
---@param remedy string What a person can do about it.
function look.bad(what, saw, remedy) end

---This could not be learned. It is told, and is no reason not to begin.
---
---In looks. Since api 1.
---
---Raises:
---- `invalid` `bad-argument`: one of them is no text.
---- `invalid` `runaway`: there are 500 findings already.
---```lua
---look.unknown("clock", "this host has no chrony")
---```
---@param what string What it is: "tap0", "memory".
---@param saw string Why it is not known.
---@param remedy? string What a person can do about it.
function look.unknown(what, saw, remedy) end

---This must be the same at the other node, whose looks say it under the same name. It is compared
---when both have looked; another value is bad, and both are told. What is said again under a name
---takes the place of what was said before.
---
---In looks. Since api 1.
---
---Raises:
---- `invalid` `bad-argument`: one of them is no text.
---- `invalid` `runaway`: there are 500 findings already.
---```lua
---look.same("guest's CPUs", #qmp("query-cpus-fast"), "start it with the same -smp")
---```
---@param what string What it is: "tap0", "memory".
---@param value string|number What it is at this node.
---@param remedy string What a person can do when it is another there.
function look.same(what, value, remedy) end

---As `look.same`, but another value there is only a warning.
---
---In looks. Since api 1.
---
---Raises:
---- `invalid` `bad-argument`: one of them is no text.
---- `invalid` `runaway`: there are 500 findings already.
---```lua
---look.alike("kernel", fs.read("/proc/sys/kernel/osrelease"), "take the same one")
---```
---@param what string What it is: "tap0", "memory".
---@param value string|number What it is at this node.
---@param remedy string What a person can do when it is another there.
function look.alike(what, value, remedy) end

---Calls the function, and makes a finding of what it raises: unknown when the world refuses to say,
---bad when it does not answer. So one look that fails does not hide the others.
---
---In looks; waits. Since api 1.
---
---Raises:
---- Whatever is wrong in the plan itself.
---```lua
---look.at("guest", function()
---  local status = qmp("query-status").status
---  if status == "running" then look.ok("guest", "it runs") end
---end)
---```
---@param what string What it is: "tap0", "memory".
---@param action fun() What looks.
function look.at(what, action) end
