---@meta
-- SPDX-License-Identifier: Apache-2.0
-- lua/meta/time.lua: Events and time, for editors.
-- Written by tools/api from src/script; a change by hand is lost.

---Something that happened.
---@class ktm.Event
---@field name string "MIGRATION", "timer:tick".
---@field vm? string The VM's name; nil for the default VM, and for what is no VM's.
---@field data table What came with it; an empty table for nothing.

---A text with one of the units ns, us, ms, s, min, h, d, as in "1.5s"; or a number of milliseconds
---that is not negative.
---@alias ktm.Duration string|number

---@class ktm.wait.pattern
---@field [1] string The event, as in `on`.
---@field [2] ktm.Duration? The longest time; without it as long as the action may run.
---@field vm? string The VM whose event it is, as in `on`.
---@field [string] string|number|boolean Must equal that field of the event's data.

---Waits for an event inside of an action. One that came since the action began, and that nobody has
---taken, counts; in an undo too. What is taken here is not seen by the `on`s of the state. The name
---of the event is not checked.
---
---In actions and undos; waits. Since api 1.
---
---Raises:
---- `timeout` `no-event`: it did not come in that time.
---- `invalid` `bad-argument`: a part of the table is not what it must be.
---- `invalid` `bad-duration`, `bad-quantity`, `too-large`: no duration.
---```lua
---qmp("cont")
---local event = wait { "RESUME", "2s" }
---log.debug("%s came", event.name)
---```
---@param pattern ktm.wait.pattern Which event, and how long.
---@return ktm.Event event the event
function wait(pattern) end

---Waits. Meanwhile events queue; more than 1024 of them are trouble.
---
---In actions, undos and looks; waits. Since api 1.
---
---Raises:
---- `invalid` `bad-duration`, `bad-quantity`, `too-large`: no duration.
---```lua
---sleep("100ms")
---```
---@param duration ktm.Duration How long.
function sleep(duration) end

---@class ktm.word.timer
timer = {}

---Makes the event "timer:NAME" happen once, later. A timer goes on when the state is left, until
---the end of the run; a new one of the same name takes its place.
---
---In actions and undos. Since api 1.
---
---Raises:
---- `invalid` `bad-argument`: no name for a timer.
---- `invalid` `bad-duration`, `bad-quantity`, `too-large`: no duration.
---```lua
---timer.after("30s", "patience")
---```
---@param duration ktm.Duration When, from now.
---@param name string Small letters, digits, '-', '_' and '.'.
function timer.after(duration, name) end

---Makes the event "timer:NAME" happen again and again, as `timer.after` does once.
---
---In actions and undos. Since api 1.
---
---Raises:
---- `invalid` `bad-argument`: no name for a timer, or less than 1 ms.
---- `invalid` `bad-duration`, `bad-quantity`, `too-large`: no duration.
---```lua
---timer.every("1s", "tick")
---```
---@param duration ktm.Duration The time between two events; at least 1 ms.
---@param name string Small letters, digits, '-', '_' and '.'.
function timer.every(duration, name) end

---Stops a timer; nothing when there is none. Its event may be in the queue already.
---
---In actions and undos. Since api 1.
---
---Raises:
---- `invalid` `bad-argument`: no name for a timer.
---```lua
---timer.cancel("tick")
---```
---@param name string The timer's.
function timer.cancel(name) end

---Makes an event happen in this run. It queues behind those that have come already.
---
---In actions and undos. Since api 1.
---
---Raises:
---- `invalid` `bad-argument`: no event of a plan, or data that is no table with names.
---- `invalid` `no-json`: JSON cannot hold the data.
---- `invalid` `runaway`: more than 1000 in a row without waiting for anything.
---```lua
---emit("copy:nearly", { left = 1048576 })
---```
---@param event string "word:word" in small letters.
---@param data? table The event's data, by names; an empty table without it.
function emit(event, data) end

---The time of the run, by a clock that never jumps.
---
---In actions, undos and looks. Since api 1.
---```lua
---local began = now()
---qmp("stop")
---log.info("%.1f ms", now() - began)
---```
---@return number time milliseconds since the run began, exact to a microsecond
function now() end
