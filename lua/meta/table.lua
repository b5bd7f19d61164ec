---@meta
-- SPDX-License-Identifier: Apache-2.0
-- lua/meta/table.lua: Lists and numbers, for editors.
-- Written by tools/api from src/script; a change by hand is lost.

---@class ktm.word.table
table = {}

---A text from a list.
---
---Everywhere. Since api 1.
---
---Raises:
---- Text: an item is neither text nor number.
---```lua
---log.info(table.concat({ "a", "b" }, ", "))
---```
---@param list table Texts and numbers.
---@param between? string What stands between two.
---@param first? integer 1 without it.
---@param last? integer Its length without it.
---@return string text all of them in a row
function table.concat(list, between, first, last) end

---Adds an item at the end, or at a place: table.insert(list, value), table.insert(list, place,
---value).
---
---Everywhere. Since api 1.
---
---Raises:
---- Text: an argument is of another type.
---```lua
---local taps = { "tap1" }
---table.insert(taps, 1, "tap0")
---log.info(table.concat(taps, " "))
---```
---@param list table A list.
---@param place any Where; left out, the value is put at the end.
---@param value? any The new item.
function table.insert(list, place, value) end

---Takes an item out.
---
---Everywhere. Since api 1.
---
---Raises:
---- Text: an argument is of another type.
---```lua
---local taps = { "tap0", "tap1" }
---log.info("without %s", table.remove(taps))
---```
---@param list table A list.
---@param place? integer Which item; the last without it.
---@return any item what was there
function table.remove(list, place) end

---Sorts a list where it is. Equal items may change places.
---
---Everywhere. Since api 1.
---
---Raises:
---- Text: two items cannot be compared, or `before` contradicts itself.
---```lua
---local sizes = { 3, 1, 2 }
---table.sort(sizes, function(a, b) return a > b end)
---log.info("the largest is %d", sizes[1])
---```
---@param list table A list.
---`before`: Whether a belongs before b; a < b without it. It must not wait.
---@param before fun(a:any,b:any):boolean|nil
function table.sort(list, before) end

---@class ktm.word.math
---@field huge number infinity, more than any other number
math = {}

---The number without its sign.
---
---Everywhere. Since api 1.
---
---Raises:
---- Text: an argument is of another type.
---```lua
---log.info("%d", math.abs(-1))
---```
---@param x number A number.
---@return number distance from 0
function math.abs(x) end

---Rounds up.
---
---Everywhere. Since api 1.
---
---Raises:
---- Text: an argument is of another type.
---```lua
---log.info("%d", math.ceil(1.2))
---```
---@param x number A number.
---@return number whole the least whole number that is not below x
function math.ceil(x) end

---Rounds down.
---
---Everywhere. Since api 1.
---
---Raises:
---- Text: an argument is of another type.
---```lua
---log.info("%d", math.floor(1.8))
---```
---@param x number A number.
---@return number whole the greatest whole number that is not above x
function math.floor(x) end

---The rest of a division.
---
---Everywhere. Since api 1.
---
---Raises:
---- Text: an argument is of another type.
---```lua
---log.info("%d", math.fmod(7, 3))
---```
---@param x number A number.
---@param y number What it is divided by.
---@return number rest with the sign of x
function math.fmod(x, y) end

---A logarithm.
---
---Everywhere. Since api 1.
---
---Raises:
---- Text: an argument is of another type.
---```lua
---log.info("%.1f bits", math.log(1000, 2))
---```
---@param x number A number.
---@param base? number e without it.
---@return number logarithm of x
function math.log(x, base) end

---The greatest number.
---
---Everywhere. Since api 1.
---
---Raises:
---- Text: an argument is of another type.
---```lua
---log.info("%d", math.max(1, 2, 3))
---```
---@param x number A number.
---@param ... number More numbers.
---@return number greatest of all
function math.max(x, ...) end

---The least number.
---
---Everywhere. Since api 1.
---
---Raises:
---- Text: an argument is of another type.
---```lua
---log.info("%d", math.min(1, 2, 3))
---```
---@param x number A number.
---@param ... number More numbers.
---@return number least of all
function math.min(x, ...) end

---The two parts of a number.
---
---Everywhere. Since api 1.
---
---Raises:
---- Text: an argument is of another type.
---```lua
---local whole, fraction = math.modf(1.25)
---log.info("%d and %.2f", whole, fraction)
---```
---@param x number A number.
---@return number whole the part before the point
---@return number fraction the part behind it
function math.modf(x) end

---The square root.
---
---Everywhere. Since api 1.
---
---Raises:
---- Text: an argument is of another type.
---```lua
---log.info("%.3f", math.sqrt(2))
---```
---@param x number A number.
---@return number root of x
function math.sqrt(x) end
