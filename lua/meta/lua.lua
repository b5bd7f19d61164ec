---@meta
-- SPDX-License-Identifier: Apache-2.0
-- lua/meta/lua.lua: Lua, for editors.
-- Written by tools/api from src/script; a change by hand is lost.

---What the words of actions raise. `tostring` makes a sentence of it, and so does "%s" in
---`string.format`.
---@class ktm.Error
---usage, invalid, io, protocol, refused, timeout, lost or cancelled: what to branch on.
---@field kind string
---@field code string A short stable word, such as "no-reply"; "GenericError" is QEMU's.
---@field what string What is wrong, for people.
---@field during string What was tried: "run migrate"; may be empty.
---@field cause? ktm.Error The error behind it.

---Goes on if there is a value.
---
---Everywhere. Since api 1.
---
---Raises:
---- The message, or the text "assertion failed!", when the value is nil or false.
---```lua
---local mtu = assert(tonumber("1500"), "no number")
---log.info("mtu %d", mtu)
---```
---@param value any What must be there.
---@param message? any What is raised if not: a text or a table, as for `error`.
---@return any ... all its arguments
function assert(value, message) end

---Raises an error. One that leaves an action is trouble: the plan aborts, or is stranded behind the
---commit. A text becomes an error of the kind `invalid` with the code `plan`.
---
---Everywhere. Since api 1.
---
---Raises:
---- The message.
---```lua
---error { kind = "refused", code = "no-room", what = "the host has no memory left" }
---```
---`message`: A text, or a table with `what` and, as wanted, `kind`, `code`, `during`, `cause`.
---@param message any
---@param level? integer Whose place a text names; 1, this one, without it; 0 for none.
function error(message, level) end

---Goes through the items 1, 2, … until one is nil.
---
---Everywhere. Since api 1.
---
---Raises:
---- Text: it is no table.
---```lua
---for place, tap in ipairs { "tap0", "tap1" } do log.info("%d: %s", place, tap) end
---```
---@param table table Any table.
---@return function step for `for`
---@return table table the table
---@return integer start 0
function ipairs(table) end

---Goes through a table in a fixed order, which Lua's own does not have: numbers, texts, false,
---true. What is added meanwhile is not seen, what is removed is left out. In a table of words, such
---as `string` or `m`, it finds nothing.
---
---Everywhere. Since api 1.
---
---Raises:
---- Text: it is no table, or a key is neither a number, a text nor a boolean.
---```lua
---for name, value in pairs { b = 2, a = 1 } do log.info("%s is %d", name, value) end
---```
---@param table table Any table.
---@return function step for `for`
function pairs(table) end

---Calls a function and catches what it raises; it may wait inside. An action that is cancelled is
---not saved by it: each further word that waits raises the reason again.
---
---Everywhere. Since api 1.
---```lua
---local ok, problem = pcall(function() qmp("stop") end)
---if not ok then log.warn("%s", problem) end
---```
---@param action function What is called; it may wait.
---@param ... any Its arguments.
---@return boolean ok whether nothing was raised
---@return any ... what it returned, or the error
function pcall(action, ...) end

---A part of some values.
---
---Everywhere. Since api 1.
---
---Raises:
---- Text: no such place.
---```lua
---local count = select("#", "a", nil)
---log.info("%d values", count)
---```
---@param which integer|"#" From which value on, negative from the end; "#" for how many.
---@param ... any The values.
---@return any ... the values from that one on, or their number
function select(which, ...) end

---Reads a number.
---
---Everywhere. Since api 1.
---
---Raises:
---- Text: the base is none.
---```lua
---local mtu = tonumber("1500")
---log.info("mtu %d", mtu)
---```
---@param value any A number, or a text such as "16" or "0x10".
---@param base? integer 2 to 36; 10 without it.
---@return number? number nil when it is none
function tonumber(value, base) end

---A text for any value: an error's sentence; of tables and functions just "table" and "function",
---without the address that Lua's own shows.
---
---Everywhere. Since api 1.
---
---Raises:
---- Text: there is no value.
---```lua
---log.info("it is " .. tostring(true))
---```
---@param value any Any value.
---@return string text for people
function tostring(value) end

---What kind of value it is.
---
---Everywhere. Since api 1.
---
---Raises:
---- Text: there is no value.
---```lua
---if type(1) == "number" then log.info("a number") end
---```
---@param value any Any value.
---@return string name "nil", "boolean", "number", "string", "table", "function"
function type(value) end

---The items of a list as values.
---
---Everywhere. Since api 1.
---
---Raises:
---- Text: it is no table, or there are too many.
---```lua
---qmp.enable(unpack { "events", "multifd" })
---```
---@param list any[] A list.
---@param first? integer 1 without it.
---@param last? integer Its length without it.
---@return any ... the items
function unpack(list, first, last) end

---Marks a table as a list. Only an empty one needs it: in JSON it is [] then, and {} otherwise.
---Lists that came out of JSON, and vars, are marked.
---
---Everywhere. Since api 1.
---
---Raises:
---- Text: it is no table.
---```lua
---qmp("qom-set", { path = "/objects/x", property = "cpus", value = list {} })
---```
---@param table table Any table.
---@return table list the same table
function list(table) end
