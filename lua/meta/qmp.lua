---@meta
-- SPDX-License-Identifier: Apache-2.0
-- lua/meta/qmp.lua: Virtual machines, for editors.
-- Written by tools/api from src/script; a change by hand is lost.

---@class ktm.qmp.options
---@field within? ktm.Duration The longest time; without it as long as the action may run.

---Runs a command on the default VM and waits for the reply. The default VM is the one at the path
---in the var `qmp`. Names and arguments go to QEMU as they are written.
---
---In actions, undos and looks; waits. Since api 1.
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
---local status = qmp("query-status")
---log.info("the guest is %s", status.status)
---qmp("migrate-set-parameters", { ["downtime-limit"] = 25 }, { within = "2s" })
---```
---@class ktm.word.qmp
---@overload fun(command: string, arguments?: table, options?: ktm.qmp.options): any
qmp = {}

---@class ktm.qmp.try.options
---@field within? ktm.Duration The longest time; without it as long as the action may run.

---As `qmp`, but gives back why it failed instead of raising it, cancellation included. What is
---wrong with the call itself is raised.
---
---In actions, undos and looks; waits. Since api 1.
---
---Raises:
---- `invalid` `bad-argument`: the command is no text, or the arguments or options no table.
---- `invalid` `no-json`: JSON cannot hold the arguments; the text names the place.
---- `invalid` `bad-duration`, `bad-quantity`, `too-large`: `within` is no duration.
---- `lost` `no-vm`: there is no such VM: no var `qmp` of type path, or it was released.
---```lua
---local status, problem = qmp.try("query-status")
---if status == nil then log.warn("no status: %s", problem) end
---```
---@param command string The name as it is on the wire.
---@param arguments? table By their names on the wire; none without it.
---@param options? ktm.qmp.try.options How long to wait.
---@return any result what QEMU returned, nil when it failed
---@return ktm.Error? error why it failed
function qmp.try(command, arguments, options) end

---Switches migration capabilities on, in one command. Others stay as they are.
---
---In actions and undos; waits. Since api 1.
---
---Raises:
---- As `qmp`.
---```lua
---qmp.enable("events", "pause-before-switchover")
---```
---@param ... string Names of migration capabilities.
function qmp.enable(...) end

---Lets the guest run here: cancels a copy of it that is under way, waits for its end, and continues
---the guest if it stands, again and again as long as QEMU refuses. Does nothing to a guest that
---runs and is not copied. For an undo, above all.
---
---In actions and undos; waits. Since api 1.
---
---Raises:
---- `usage` `no-vm`: the plan has no var `qmp`.
---- `io`, with the code of the system such as `ENOENT`: the connection was lost, and there is no
---other one.
---```lua
---m:undo("wake the guest", qmp.wake)
---qmp("stop")
---```
function qmp.wake() end

---Ends this QEMU: one that waited for a guest which stays where it was.
---
---In actions and undos; waits. Since api 1.
---
---Raises:
---- `usage` `no-vm`: the plan has no var `qmp`.
---- `io`, with the code of the system such as `EACCES`: the connection was lost, and another one
---could not be had. Where nobody listens any more QEMU has ended, and that is no error.
---```lua
---m:undo("end the QEMU that waits", qmp.quit)
---qmp("migrate-incoming", { uri = "tcp:192.0.2.7:4444" })
---```
function qmp.quit() end

---@class ktm.qmp.restore.before
---@field job? string A block job that is not to be there.
---@field node? string A block node that is not to be there.
---@field capabilities? table Of the migration: names, and true or false.
---@field parameters? table Of the migration: names and values.
---@field object? string An object that is not to be there.

---Makes an undo of what a plan changes in QEMU. When it is carried out it looks first, and does
---what is still to be done: ends the block job and waits until it is gone, removes the block node,
---puts capabilities and parameters of the migration back, and removes the object, again and again
---as long as QEMU refuses.
---
---In actions and undos. Since api 1.
---
---Raises:
---- `invalid` `bad-argument`: nothing that can be put back, or a part of it is not what it must be.
---- `invalid` `no-json`: JSON cannot hold it; the text names the place.
---```lua
---m:undo("put the limit back", qmp.restore { parameters = { ["downtime-limit"] = 300 } })
---qmp("migrate-set-parameters", { ["downtime-limit"] = 25 })
---```
---@param before ktm.qmp.restore.before What is to be as it was; at least one of these.
---@return function action for an undo; it can also be called
function qmp.restore(before) end

---Connects to the default VM again when its connection was lost: to a QEMU that was begun anew at
---the same socket. As long as nobody is there it is tried again. Does nothing where the connection
---stands.
---
---In actions and undos; waits. Since api 1.
---
---Raises:
---- `usage` `no-vm`: the plan has no var `qmp`.
---- `io`, with the code of the system such as `EACCES`: the socket is not for us.
---```lua
---exec { "/usr/local/bin/start-qemu", within = "20s" }
---qmp.reconnect()
---```
function qmp.reconnect() end

---Connects to the monitor of another VM and waits until it can be used. Its events carry the name;
---`on` and `wait` ask for them with `vm = "NAME"`. The connection stays for the rest of the run.
---When it is lost and the state has no `on` for "qmp:lost" of this VM, that is trouble.
---
---In actions and undos; waits. Since api 1.
---
---Raises:
---- `io`, with the code of the system such as `ENOENT`: no connection.
---- `timeout` `no-connection`, `no-greeting`, `no-negotiation`: no answer in time.
---- `protocol` `bad-greeting`, `negotiation-refused` and others: it is no monitor of QEMU.
---- `lost` `connection-lost`: the other side has closed it.
---- `invalid` `bad-argument`: path or name is no text, or the name is taken or empty.
---- `invalid` `bad-address`, `path-too-long`: no path of a socket.
---```lua
---local helper = qmp.connect("/run/helper.qmp", "helper")
---helper("cont")
---wait { "RESUME", "2s", vm = "helper" }
---```
---@param path string The monitor: the path of a unix socket.
---@param name string What the VM is called in events, errors and the recording.
---@return ktm.Vm vm another VM
function qmp.connect(path, name) end
