---@meta
-- SPDX-License-Identifier: Apache-2.0
-- lua/meta/vm.lua: Another virtual machine, for editors.
-- Written by tools/api from src/script; a change by hand is lost.

---@class ktm.vm.options
---@field within? ktm.Duration The longest time; without it as long as the action may run.

---Runs a command on this VM; as `qmp`.
---
---In actions and undos; waits. Since api 1.
---
---Raises:
---- `refused`, with QEMU's class as the code: QEMU said no.
---- `timeout` `no-reply`: no reply `within` that time; it may have been carried out.
---- `lost` `connection-lost`: the connection has ended; it may have been carried out. `protocol`
---when it ended because QEMU broke the protocol.
---- `usage` `too-many-commands`: too many wait for their replies.
---- `invalid` `bad-argument`: the command is no text, or the arguments or options no table.
---- `invalid` `no-json`: JSON cannot hold the arguments; the text names the place.
---- `invalid` `bad-duration`, `bad-quantity`, `too-large`: `within` is no duration.
---- `lost` `no-vm`: there is no such VM: no var `qmp` of type path, or it was released.
---```lua
---local vm = qmp.connect("/run/helper.qmp", "helper")
---vm("system_powerdown")
---```
---@class ktm.Vm
---@field name string the name that was given to qmp.connect
---@overload fun(command: string, arguments?: table, options?: ktm.vm.options): any
local vm = {}

---@class ktm.vm.try.options
---@field within? ktm.Duration The longest time; without it as long as the action may run.

---As `qmp.try`, for this VM.
---
---In actions and undos; waits. Since api 1.
---
---Raises:
---- `invalid` `bad-argument`: the command is no text, or the arguments or options no table.
---- `invalid` `no-json`: JSON cannot hold the arguments; the text names the place.
---- `invalid` `bad-duration`, `bad-quantity`, `too-large`: `within` is no duration.
---- `lost` `no-vm`: there is no such VM: no var `qmp` of type path, or it was released.
---```lua
---local vm = qmp.connect("/run/helper.qmp", "helper")
---local _, problem = vm.try("cont")
---if problem then log.warn("%s", problem) end
---```
---@param command string The name as it is on the wire.
---@param arguments? table By their names on the wire; none without it.
---@param options? ktm.vm.try.options How long to wait.
---@return any result what QEMU returned, nil when it failed
---@return ktm.Error? error why it failed
function vm.try(command, arguments, options) end

---As `qmp.enable`, for this VM.
---
---In actions and undos; waits. Since api 1.
---
---Raises:
---- As `qmp`.
---```lua
---local vm = qmp.connect("/run/helper.qmp", "helper")
---vm.enable("events")
---```
---@param ... string Names of migration capabilities.
function vm.enable(...) end

---Ends the connection; the name is free again. A second call does nothing. At the end of the run
---each connection ends by itself.
---
---In actions and undos. Since api 1.
---```lua
---local vm = qmp.connect("/run/helper.qmp", "helper")
---vm("system_powerdown")
---vm.release()
---```
function vm.release() end
