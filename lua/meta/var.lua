---@meta
-- SPDX-License-Identifier: Apache-2.0
-- lua/meta/var.lua: Vars, for editors.
-- Written by tools/api from src/script; a change by hand is lost.

---What `var.TYPE { … }` makes.
---@class ktm.Var

---What `var "NAME"` makes: the value of a var.
---@class ktm.Deadline

---The value of a var as the deadline of a state.
---
---At load. Since api 1.
---```lua
---state "precopy" { within = var "patience",
---  on { "MIGRATION", status = "completed", go = "done" },
---}
---```
---@class ktm.word.var
---@overload fun(name: string): ktm.Deadline
var = {}

---@class ktm.var.bool.body
---@field [1] boolean? The default.
---@field doc string What it is for. A var without it is refused.
---@field role? string The only role that has it; without it all have.
---It may stay without a value; in actions it is nil then. Not beside a default.
---@field optional? boolean
---@field required? boolean Says that it has no default on purpose. Only true makes sense.
---@field agree? boolean It must have the same value at both nodes, or neither run begins.

---True or false; a person may also write yes, no, on, off. A boolean in actions.
---
---At load. Since api 1.
---```lua
---var.bool { false, doc = "Also compress what is sent." }
---```
---@param body ktm.var.bool.body The var.
---@return ktm.Var var for vars = { NAME = … }
function var.bool(body) end

---@class ktm.var.duration.body
---@field [1] string? The default: a number with a unit.
---@field doc string What it is for. A var without it is refused.
---@field role? string The only role that has it; without it all have.
---It may stay without a value; in actions it is nil then. Not beside a default.
---@field optional? boolean
---@field required? boolean Says that it has no default on purpose. Only true makes sense.
---@field agree? boolean It must have the same value at both nodes, or neither run begins.
---@field min? string The least value, written like the default.
---@field max? string The greatest value, written like the default.

---A time with one of the units ns, us, ms, s, min, h, d. A number of milliseconds in actions.
---
---At load. Since api 1.
---```lua
---var.duration { "25ms", min = "1ms", max = "60s", doc = "Dark window to aim for." }
---```
---@param body ktm.var.duration.body The var.
---@return ktm.Var var for vars = { NAME = … }
function var.duration(body) end

---@class ktm.var.enum.body
---The words. The first is the default, unless the var is optional or required.
---@field [integer] string
---@field doc string What it is for. A var without it is refused.
---@field role? string The only role that has it; without it all have.
---It may stay without a value; in actions it is nil then. Not beside a default.
---@field optional? boolean
---@field required? boolean True: the first word is no default.
---@field agree? boolean It must have the same value at both nodes, or neither run begins.

---One of some words. A text in actions.
---
---At load. Since api 1.
---```lua
---var.enum { "ipip", "gre", "none", doc = "How diverted packets travel." }
---```
---@param body ktm.var.enum.body The var.
---@return ktm.Var var for vars = { NAME = … }
function var.enum(body) end

---@class ktm.var.ifname.body
---@field [1] string? The default.
---@field doc string What it is for. A var without it is refused.
---@field role? string The only role that has it; without it all have.
---It may stay without a value; in actions it is nil then. Not beside a default.
---@field optional? boolean
---@field required? boolean Says that it has no default on purpose. Only true makes sense.
---@field agree? boolean It must have the same value at both nodes, or neither run begins.

---The name of a network interface: 1 to 15 bytes without blanks, '/' and ':'. A text in actions.
---
---At load. Since api 1.
---```lua
---var.ifname { "tap0", doc = "The guest's tap." }
---```
---@param body ktm.var.ifname.body The var.
---@return ktm.Var var for vars = { NAME = … }
function var.ifname(body) end

---@class ktm.var.int.body
---@field [1] integer? The default.
---@field doc string What it is for. A var without it is refused.
---@field role? string The only role that has it; without it all have.
---It may stay without a value; in actions it is nil then. Not beside a default.
---@field optional? boolean
---@field required? boolean Says that it has no default on purpose. Only true makes sense.
---@field agree? boolean It must have the same value at both nodes, or neither run begins.
---@field min? integer The least value, written like the default.
---@field max? integer The greatest value, written like the default.

---A whole number.
---
---At load. Since api 1.
---```lua
---var.int { 4, min = 1, max = 255, doc = "Connections of the RAM copy." }
---```
---@param body ktm.var.int.body The var.
---@return ktm.Var var for vars = { NAME = … }
function var.int(body) end

---@class ktm.var.ip.body
---@field [1] string? The default.
---@field doc string What it is for. A var without it is refused.
---@field role? string The only role that has it; without it all have.
---It may stay without a value; in actions it is nil then. Not beside a default.
---@field optional? boolean
---@field required? boolean Says that it has no default on purpose. Only true makes sense.
---@field agree? boolean It must have the same value at both nodes, or neither run begins.
---@field family? string "v4" or "v6": the only family that is accepted; without it both are.

---An address of IPv4 or IPv6. A text in actions, in its canonical form.
---
---At load. Since api 1.
---```lua
---var.ip { role = "source", doc = "Address of the destination node." }
---```
---@param body ktm.var.ip.body The var.
---@return ktm.Var var for vars = { NAME = … }
function var.ip(body) end

---@class ktm.var.ips.body
---@field [1] string[]? The default: a list.
---@field doc string What it is for. A var without it is refused.
---@field role? string The only role that has it; without it all have.
---It may stay without a value; in actions it is nil then. Not beside a default.
---@field optional? boolean
---@field required? boolean Says that it has no default on purpose. Only true makes sense.
---@field agree? boolean It must have the same value at both nodes, or neither run begins.
---@field min? integer The least number of items.
---@field max? integer The greatest number of items.
---@field family? string "v4" or "v6": the only family that is accepted; without it both are.

---Addresses: short for a list of ip. A person writes them with commas between them.
---
---At load. Since api 1.
---```lua
---var.ips { min = 1, doc = "Addresses of the guest." }
---```
---@param body ktm.var.ips.body The var.
---@return ktm.Var var for vars = { NAME = … }
function var.ips(body) end

---@class ktm.var.list.body
---@field [1] any[]? The default: a list, its items written as defaults of their type.
---@field of string The type of the items: any but list, secret and enum.
---@field doc string What it is for. A var without it is refused.
---@field role? string The only role that has it; without it all have.
---It may stay without a value; in actions it is nil then. Not beside a default.
---@field optional? boolean
---@field required? boolean Says that it has no default on purpose. Only true makes sense.
---@field agree? boolean It must have the same value at both nodes, or neither run begins.
---@field min? integer The least number of items.
---@field max? integer The greatest number of items.
---@field family? string Of items of type ip: the same as for one.

---Values of one type. A person writes them with commas between them, or as a JSON array. A list in
---actions.
---
---At load. Since api 1.
---```lua
---var.list { { "tap0", "tap1" }, of = "ifname", doc = "The guest's taps." }
---```
---@param body ktm.var.list.body The var.
---@return ktm.Var var for vars = { NAME = … }
function var.list(body) end

---@class ktm.var.path.body
---@field [1] string? The default.
---@field doc string What it is for. A var without it is refused.
---@field role? string The only role that has it; without it all have.
---It may stay without a value; in actions it is nil then. Not beside a default.
---@field optional? boolean
---@field required? boolean Says that it has no default on purpose. Only true makes sense.
---@field agree? boolean It must have the same value at both nodes, or neither run begins.
---@field min? integer The least size in bytes.
---@field max? integer The greatest size in bytes.

---A path, not empty. A text in actions. The var called `qmp`, when it is of this type, is the
---monitor of the default VM: it is connected before the first state.
---
---At load. Since api 1.
---```lua
---var.path { doc = "QMP socket of the VM on this node." }
---```
---@param body ktm.var.path.body The var.
---@return ktm.Var var for vars = { NAME = … }
function var.path(body) end

---@class ktm.var.rate.body
---@field [1] string? The default: a number with a unit.
---@field doc string What it is for. A var without it is refused.
---@field role? string The only role that has it; without it all have.
---It may stay without a value; in actions it is nil then. Not beside a default.
---@field optional? boolean
---@field required? boolean Says that it has no default on purpose. Only true makes sense.
---@field agree? boolean It must have the same value at both nodes, or neither run begins.
---@field min? string The least value, written like the default.
---@field max? string The greatest value, written like the default.

---An amount in each second, with one of the units B/s, kB/s, MB/s, GB/s, KiB/s, MiB/s, GiB/s,
---bit/s, kbit/s, Mbit/s, Gbit/s. A number of bytes in actions.
---
---At load. Since api 1.
---```lua
---var.rate { "10GB/s", doc = "Ceiling of the RAM copy." }
---```
---@param body ktm.var.rate.body The var.
---@return ktm.Var var for vars = { NAME = … }
function var.rate(body) end

---@class ktm.var.secret.body
---@field [1] string? The default.
---@field doc string What it is for. A var without it is refused.
---@field role? string The only role that has it; without it all have.
---It may stay without a value; in actions it is nil then. Not beside a default.
---@field optional? boolean
---@field required? boolean Says that it has no default on purpose. Only true makes sense.
---@field agree? boolean It must have the same value at both nodes, or neither run begins.
---@field min? integer The least size in bytes.
---@field max? integer The greatest size in bytes.

---A text of at least 8 bytes that is neither printed nor recorded. A text in actions.
---
---At load. Since api 1.
---```lua
---var.secret { optional = true, doc = "Password of the disk's key." }
---```
---@param body ktm.var.secret.body The var.
---@return ktm.Var var for vars = { NAME = … }
function var.secret(body) end

---@class ktm.var.size.body
---@field [1] string? The default: a number with a unit.
---@field doc string What it is for. A var without it is refused.
---@field role? string The only role that has it; without it all have.
---It may stay without a value; in actions it is nil then. Not beside a default.
---@field optional? boolean
---@field required? boolean Says that it has no default on purpose. Only true makes sense.
---@field agree? boolean It must have the same value at both nodes, or neither run begins.
---@field min? string The least value, written like the default.
---@field max? string The greatest value, written like the default.

---An amount of data, with one of the units B, kB, MB, GB, TB, KiB, MiB, GiB, TiB. A number of bytes
---in actions.
---
---At load. Since api 1.
---```lua
---var.size { "16MiB", doc = "Divert when less RAM than this is left to copy." }
---```
---@param body ktm.var.size.body The var.
---@return ktm.Var var for vars = { NAME = … }
function var.size(body) end

---@class ktm.var.string.body
---@field [1] string? The default.
---@field doc string What it is for. A var without it is refused.
---@field role? string The only role that has it; without it all have.
---It may stay without a value; in actions it is nil then. Not beside a default.
---@field optional? boolean
---@field required? boolean Says that it has no default on purpose. Only true makes sense.
---@field agree? boolean It must have the same value at both nodes, or neither run begins.
---@field min? integer The least size in bytes.
---@field max? integer The greatest size in bytes.

---Any UTF-8 text.
---
---At load. Since api 1.
---```lua
---var.string { optional = true, max = 64, doc = "A note for the log." }
---```
---@param body ktm.var.string.body The var.
---@return ktm.Var var for vars = { NAME = … }
function var.string(body) end
