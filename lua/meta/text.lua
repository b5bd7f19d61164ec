---@meta
-- SPDX-License-Identifier: Apache-2.0
-- lua/meta/text.lua: Texts, for editors.
-- Written by tools/api from src/script; a change by hand is lost.

---@class ktm.word.string
string = {}

---Bytes of a text as numbers.
---
---Everywhere. Since api 1.
---
---Raises:
---- Text: an argument is of another type.
---```lua
---log.info("%d", string.byte("A"))
---```
---@param text string A text.
---@param first? integer 1 without it; negative from the end.
---@param last? integer As `first` without it.
---@return integer ... the bytes from first to last
function string.byte(text, first, last) end

---A text of bytes.
---
---Everywhere. Since api 1.
---
---Raises:
---- Text: an argument is of another type.
---```lua
---log.info(string.char(79, 75))
---```
---@param ... integer Bytes: 0 to 255.
---@return string text of these bytes
function string.char(...) end

---Where a pattern matches first.
---
---Everywhere. Since api 1.
---
---Raises:
---- `invalid` `bad-pattern`: the pattern is malformed.
---- `invalid` `pattern-too-complex`: it is too long, or has too many captures.
---- `invalid` `pattern-budget`: the search takes more than a million steps.
---- Text: an argument is of another type.
---```lua
---if string.find("a.b", ".", 1, true) then log.info("it has a dot") end
---```
---@param text string Where to look.
---@param pattern string What to look for: a pattern of Lua.
---@param first? integer From where on; negative from the end.
---@param plain? boolean The pattern is a plain text.
---@return integer? first where it begins, nil when it is not there
---@return integer? last where it ends
---@return any ... the captures
function string.find(text, pattern, first, plain) end

---A text from values.
---
---Everywhere. Since api 1.
---
---Raises:
---- Text: the values do not fit the format, or it has %p, which would show an address.
---```lua
---log.info(string.format("%5.1f ms, %s", 1.25, "fine"))
---```
---@param format string With %d, %s, %q, %x, %.1f and so on; not %p.
---@param ... any The values. What is neither number nor text goes through `tostring`.
---@return string text the format with the values in it
function string.format(format, ...) end

---Goes through all matches; errors come with the first step, and each step has its own million.
---
---Everywhere. Since api 1.
---
---Raises:
---- `invalid` `bad-pattern`: the pattern is malformed.
---- `invalid` `pattern-too-complex`: it is too long, or has too many captures.
---- `invalid` `pattern-budget`: the search takes more than a million steps.
---- Text: an argument is of another type.
---```lua
---for word in string.gmatch("one two", "%a+") do log.info(word) end
---```
---@param text string Where to look.
---@param pattern string What to look for; a '^' is a character here.
---@return function step for `for`; gives the captures, or the whole match
function string.gmatch(text, pattern) end

---Replaces matches. False or nil from a table or function keeps the match.
---
---Everywhere. Since api 1.
---
---Raises:
---- `invalid` `bad-pattern`: the pattern is malformed.
---- `invalid` `pattern-too-complex`: it is too long, or has too many captures.
---- `invalid` `pattern-budget`: the search takes more than a million steps.
---- `invalid` `bad-replacement`: a '%' stands before anything but '%' and a capture's digit.
---- Text: an argument, or what replaces, is of another type.
---```lua
---local path = string.gsub("/run/NAME.qmp", "NAME", "vm1")
---log.info(path)
---```
---@param text string Where to look.
---@param pattern string What to look for.
---`replacement`: A text with %0 to %9 for what was found; a table by it; or a function, which must
---not wait.
---@param replacement string|table|function
---@param count? integer How many at most; all without it.
---@return string text with the replacements
---@return integer count how many there were
function string.gsub(text, pattern, replacement, count) end

---The size of a text; the same as #text.
---
---Everywhere. Since api 1.
---
---Raises:
---- Text: an argument is of another type.
---```lua
---log.info("%d bytes", string.len("text"))
---```
---@param text string A text.
---@return integer size in bytes
function string.len(text) end

---Makes the letters of ASCII small.
---
---Everywhere. Since api 1.
---
---Raises:
---- Text: an argument is of another type.
---```lua
---log.info(string.lower("RESUME"))
---```
---@param text string A text.
---@return string text with small letters
function string.lower(text) end

---What a pattern matches first.
---
---Everywhere. Since api 1.
---
---Raises:
---- `invalid` `bad-pattern`: the pattern is malformed.
---- `invalid` `pattern-too-complex`: it is too long, or has too many captures.
---- `invalid` `pattern-budget`: the search takes more than a million steps.
---- Text: an argument is of another type.
---```lua
---local major = string.match("7.2.0", "^(%d+)%.")
---log.info("QEMU %s", major)
---```
---@param text string Where to look.
---@param pattern string What to look for: a pattern of Lua.
---@param first? integer From where on; negative from the end.
---@return any ... the captures, or the whole match; nil when there is none
function string.match(text, pattern, first) end

---Repeats a text.
---
---Everywhere. Since api 1.
---
---Raises:
---- Text: an argument is of another type.
---```lua
---log.info(string.rep("-", 20))
---```
---@param text string A text.
---@param count integer How often.
---@param between? string What stands between two.
---@return string text repeated
function string.rep(text, count, between) end

---Turns a text round.
---
---Everywhere. Since api 1.
---
---Raises:
---- Text: an argument is of another type.
---```lua
---log.info(string.reverse("abc"))
---```
---@param text string A text.
---@return string text its bytes from the end
function string.reverse(text) end

---A part of a text, by bytes.
---
---Everywhere. Since api 1.
---
---Raises:
---- Text: an argument is of another type.
---```lua
---log.info(string.sub("migration", 1, 4))
---```
---@param text string A text.
---@param first integer From 1; negative from the end.
---@param last? integer The end without it; negative from the end.
---@return string text the part
function string.sub(text, first, last) end

---Makes the letters of ASCII capitals.
---
---Everywhere. Since api 1.
---
---Raises:
---- Text: an argument is of another type.
---```lua
---log.info(("resume"):upper())
---```
---@param text string A text.
---@return string text with capitals
function string.upper(text) end
