---@meta
-- SPDX-License-Identifier: Apache-2.0
-- lua/meta/m.lua: What an action is given, for editors.
-- Written by tools/api from src/script; a change by hand is lost.

---What is undone on abort.
---@class ktm.Undo
---@field what string What it does, for people.
---It must not be undone any more. Of an undo in the journal an error when that cannot be written
---there: then it still is one.
---@field drop fun()

---Something that was acquired: a table with a text and a function.
---@class ktm.Handle
---@field what string What it is, for people: "the lock of the disk".
---@field release fun(handle:ktm.Handle) Gives it back; it may wait.

---The vars of the run, a place for notes, and the ledger of what must be undone. It cannot be
---changed, and `pairs` finds nothing in it.
---
---In actions and undos. Since api 1.
---
---Raises:
---- Text: it is assigned to.
---```lua
---log.info("%s, at most %d ms", m.tap, m.downtime)
---```
---@class ktm.M
---@field [string] any the value of a var, nil for an optional one without a value
---@field note table the plan's own notes, one table for the whole run
local m = {}

---@class ktm.m.hold.options
---@field within? ktm.Duration How long the release may take; 10 s without it.

---Registers what must be given back. It is released at the end, newest first, on abort among the
---undos; at `stranded` it stays, and is reported. The plan may call `handle.release()` before; a
---second call does nothing.
---
---In actions and undos. Since api 1.
---
---Raises:
---- `invalid` `bad-argument`: the options are no table.
---- `invalid` `bad-duration`, `bad-quantity`, `too-large`: `within` is no duration.
---- Text: it is no handle.
---```lua
---m.note.lock = m:hold {
---  what = "the lock of the disk",
---  release = function() exec { "/usr/lib/katamaran/unlock" } end,
---}
---```
---@param handle ktm.Handle What is held.
---@param options? ktm.m.hold.options How it is released.
---@return ktm.Handle handle the same one; its release() also ends the hold
function m:hold(handle, options) end

---@class ktm.m.undo.options
---@field within? ktm.Duration How long it may take; 10 s without it.

---Registers what is run when the plan aborts, newest first. The commit and the end `done` drop it;
---one that is registered behind the commit is dropped at once, and reported. One that fails or is
---late is reported, and the others run. Register it before what it undoes: what fails half-way must
---be undone, too. With `qmp.wake`, `qmp.quit` or what `qmp.restore` gives as its action it stands
---in the journal, and `katamaran recover` carries it out when we are killed.
---
---In actions and undos. Since api 1.
---
---Raises:
---- `invalid` `bad-argument`: `what` is no text, `action` no function, or the options are no table.
---- `invalid` `bad-duration`, `bad-quantity`, `too-large`: `within` is no duration.
---```lua
---m:undo("cancel the copy", function() qmp("migrate_cancel") end, { within = "5s" })
---qmp("migrate", { uri = m.uri })
---```
---@param what string What it does, for people: "wake the guest".
---@param action fun(m:ktm.M) What is run; it may wait.
---@param options? ktm.m.undo.options How it is run.
---@return ktm.Undo undo so that it can be dropped
function m:undo(what, action, options) end
