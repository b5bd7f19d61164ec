---@meta
-- SPDX-License-Identifier: Apache-2.0
-- lua/meta/log.lua: Words to people, for editors.
-- Written by tools/api from src/script; a change by hand is lost.

---@class ktm.word.log
log = {}

---Says something to who looks for a fault in the plan.
---
---In actions, undos and looks. Since api 1.
---
---Raises:
---- Text: the values do not fit the format.
---```lua
---log.debug("as it is: 100%")
---```
---@param format any As for `string.format`; alone it is said as it is.
---@param ... any The values.
function log.debug(format, ...) end

---Says something to an operator.
---
---In actions, undos and looks. Since api 1.
---
---Raises:
---- Text: the values do not fit the format.
---```lua
---log.info("%d disks are mirrored", 2)
---```
---@param format any As for `string.format`; alone it is said as it is.
---@param ... any The values.
function log.info(format, ...) end

---Says that something is not as it should be.
---
---In actions, undos and looks. Since api 1.
---
---Raises:
---- Text: the values do not fit the format.
---```lua
---log.warn("the copy is slow: %s", "3 MB/s")
---```
---@param format any As for `string.format`; alone it is said as it is.
---@param ... any The values.
function log.warn(format, ...) end

---Says that something has failed. It does not end anything; `error` does.
---
---In actions, undos and looks. Since api 1.
---
---Raises:
---- Text: the values do not fit the format.
---```lua
---log.error("the tap is gone")
---```
---@param format any As for `string.format`; alone it is said as it is.
---@param ... any The values.
function log.error(format, ...) end

---Says how far it is; a display may show the last one alone.
---
---In actions and undos. Since api 1.
---
---Raises:
---- Text: the values do not fit the format.
---```lua
---progress("%d %% copied", 42)
---```
---@param format any As for `string.format`; alone it is said as it is.
---@param ... any The values.
function progress(format, ...) end
