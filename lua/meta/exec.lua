---@meta
-- SPDX-License-Identifier: Apache-2.0
-- lua/meta/exec.lua: Programs and files, for editors.
-- Written by tools/api from src/script; a change by hand is lost.

---What a program has written.
---@class ktm.Ending
---@field out string What it wrote to stdout; the first MiB.
---@field err string What it wrote to stderr; the first MiB.

---@class ktm.exec.program
---The program and its arguments. It is found by PATH when it has no slash. No shell reads it.
---@field [integer] string|number
---How long it may take; then it is killed. Without it as long as the action may run.
---@field within? ktm.Duration
---A program in the same form: registered as an undo before the first one is started.
---@field undo? table

---Runs a program and waits for its end. Its input is empty. When the action is cancelled, it is
---killed. The undo is taken back when the program could not be started or says by its exit code
---that it failed; not when it was killed, for then it may have done a part.
---
---In actions and undos; waits. Since api 1.
---
---Raises:
---- `refused` `exit-N`: it ended with another exit code than 0; the text is the first line that it
---wrote to stderr, or to stdout.
---- `refused` `signal-N`: a signal ended it.
---- `timeout` `killed`: it took longer than `within`.
---- `io`, with the code of the system such as `ENOENT`: it could not be started.
---- `invalid` `bad-argument`: a part of the table is not what it must be.
---- `invalid` `bad-duration`, `bad-quantity`, `too-large`: `within` is no duration.
---```lua
---local ending = exec { "ip", "-brief", "link", within = "2s" }
---log.debug(ending.out)
---exec { "ip", "link", "set", "tap0", "up", undo = { "ip", "link", "set", "tap0", "down" } }
---```
---@class ktm.word.exec
---@overload fun(program: ktm.exec.program): ktm.Ending
exec = {}

---@class ktm.exec.try.program
---The program and its arguments. It is found by PATH when it has no slash. No shell reads it.
---@field [integer] string|number
---How long it may take; then it is killed. Without it as long as the action may run.
---@field within? ktm.Duration
---A program in the same form: registered as an undo before the first one is started.
---@field undo? table

---As `exec`, but gives back whatever `exec` raises instead of raising it.
---
---In actions and undos; waits. Since api 1.
---```lua
---local ending, problem = exec.try { "/usr/lib/katamaran/probe" }
---if ending == nil then log.warn("no probe: %s", problem) end
---```
---@param program ktm.exec.try.program What to run.
---@return ktm.Ending? ending what it wrote, nil when it failed
---@return ktm.Error? error why it failed
function exec.try(program) end

---@class ktm.word.fs
fs = {}

---Whether a file or folder of the kernel's is there. A file that is larger than 1 MiB, or that may
---not be read, is not.
---
---In actions, undos and looks. Since api 1.
---
---Raises:
---- `invalid` `bad-argument`: no path of the kernel's.
---```lua
---if fs.exists("/sys/class/net/tap0") then log.info("the tap is there") end
---```
---@param path string Below /sys or /proc.
---@return boolean exists whether it is a file that can be read, or a folder
function fs.exists(path) end

---Reads a file of the kernel's, and no other: paths with `..`, `root`, `cwd`, `exe`, `fd`,
---`map_files`, `mem` or `environ` between the slashes are refused as well.
---
---In actions, undos and looks. Since api 1.
---
---Raises:
---- `invalid` `bad-argument`: no path of the kernel's.
---- `io`, with the code of the system such as `ENOENT`: it cannot be read.
---- `invalid` `too-large`: it is larger than 1 MiB.
---```lua
---local mtu = tonumber(fs.read("/sys/class/net/lo/mtu"))
---log.info("mtu %d", mtu)
---```
---@param path string Below /sys or /proc.
---@return string content the whole file
function fs.read(path) end
