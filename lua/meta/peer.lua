---@meta
-- SPDX-License-Identifier: Apache-2.0
-- lua/meta/peer.lua: The other node, for editors.
-- Written by tools/api from src/script; a change by hand is lost.

---@class ktm.word.peer
peer = {}

---Says a word to the plan at the other node, where it becomes the event `"peer:WORD"`. It does not
---wait. It comes once, in the order in which it was said, also when the connection breaks and is
---had again; when the other node is lost, it is not known whether it came.
---
---In actions and undos. Since api 1.
---
---Raises:
---- `invalid` `bad-argument`: the word is none, or a field is called `asked`.
---- `invalid` `no-json`: JSON cannot hold the data.
---- `invalid` `too-large`: the data is larger than 64 KiB.
---- `refused` `peer-busy`: 256 words wait to be heard, or 64 asks for their answer.
---- `invalid` `no-peer`: this role has no other node.
---```lua
---peer.send("resumed", { at = now() })
---```
---`word`: Small letters, digits, '-', '_' and '.'; not "lost", "ended" and "looks", which katamaran
---says.
---@param word string
---`data`: What JSON can hold, at most 64 KiB. The fields of a table with names are those of the
---event's data, and none of them is called `asked`; anything else stands in the field `value`.
---@param data any
---@return boolean sent false when the other node is lost, or its run is over
function peer.send(word, data) end

---@class ktm.peer.ask.options
---How long the answer may take; without it as long as the action may run.
---@field within? ktm.Duration

---Says a word and waits for the answer, which the other plan gives by `peer.reply`. There it is the
---event `"peer:WORD"` with `asked = true` in its data.
---
---In actions and undos; waits. Since api 1.
---
---Raises:
---- `timeout` `no-answer`: it did not come in that time.
---- `lost` `peer-lost`: the other node is lost, or its run is over.
---- `invalid` `bad-argument`: the word is none, or a field is called `asked`.
---- `invalid` `no-json`: JSON cannot hold the data.
---- `invalid` `bad-duration`, `bad-quantity`, `too-large`: `within` is no duration, or the data is
---larger than 64 KiB.
---- `refused` `peer-busy`: 256 words wait to be heard, or 64 asks for their answer.
---- `invalid` `no-peer`: this role has no other node.
---```lua
---local ready = peer.ask("prepare", { ram = 8 }, { within = "5s" })
---log.info("the other node listens on port %d", ready.port)
---```
---`word`: Small letters, digits, '-', '_' and '.'; not "lost", "ended" and "looks", which katamaran
---says.
---@param word string
---`data`: What JSON can hold, at most 64 KiB. The fields of a table with names are those of the
---event's data, and none of them is called `asked`; anything else stands in the field `value`.
---@param data any
---@param options? ktm.peer.ask.options How long.
---@return any answer what the other plan replied
function peer.ask(word, data, options) end

---Answers the oldest `peer.ask` of that word that has no answer yet, in whichever action and state.
---
---In actions and undos. Since api 1.
---
---Raises:
---- `invalid` `no-ask`: the other node waits for no answer to this word.
---- `invalid` `bad-argument`: the word is none, or a field is called `asked`.
---- `invalid` `no-json`: JSON cannot hold the data.
---- `invalid` `too-large`: the data is larger than 64 KiB.
---- `refused` `peer-busy`: 256 words wait to be heard.
---- `invalid` `no-peer`: this role has no other node.
---```lua
---peer.reply("prepare", { port = 4444 })
---```
---@param word string The one that was asked.
---@param data any The answer: what JSON can hold, at most 64 KiB.
---@return boolean sent false when the other node is lost, or its run is over
function peer.reply(word, data) end

---The other end of the connection, or of the last one there was.
---
---In actions and undos. Since api 1.
---
---Raises:
---- `invalid` `no-peer`: this role has no other node.
---```lua
---log.info("the other node is %s", peer.address())
---```
---@return string? address the IP address of the other node, as this one sees it
function peer.address() end

---This end of the connection, or of the last one there was.
---
---In actions and undos. Since api 1.
---
---Raises:
---- `invalid` `no-peer`: this role has no other node.
---```lua
---log.info("this node is %s", peer.own_address())
---```
---@return string? address the IP address of this node, on the connection
function peer.own_address() end

---Writes the key of this run, which the other node has as well and no other run, into a file that
---only our user can read, in memory. It is removed at the end of the run, and by `katamaran
---recover` behind one that was killed. The plan does not see the key, and it is in no recording.
---
---In actions and undos. Since api 1.
---
---Raises:
---- `refused` `not-private`: others could hear the key on the way to the other node, because the
---run was begun with --insecure.
---- `refused` `no-memory`: there is no tmpfs for it.
---- `io`, with the code of the system: it could not be written.
---- `invalid` `no-peer`: this role has no other node.
---```lua
---qmp("object-add", { ["qom-type"] = "tls-creds-psk", id = "tls",
---  dir = peer.keys(), endpoint = "client", username = "katamaran" })
---```
---`folder`: where the file keys.psk is, as QEMU's tls-creds-psk reads it, for the user "katamaran"
---@return string folder
function peer.keys() end

---How long a line takes there and back: the shortest of the last 16 measurements, one of which is
---made twice a second.
---
---In actions and undos. Since api 1.
---
---Raises:
---- `invalid` `no-peer`: this role has no other node.
---```lua
---local there_and_back = peer.round_trip()
---if there_and_back then log.info("%.3f ms", there_and_back) end
---```
---@return number? milliseconds nil as long as it is not known
function peer.round_trip() end

---How long the other node is silent by now. It says something twice a second, and is lost when it
---was not heard for five; who must act before looks here.
---
---In actions and undos. Since api 1.
---
---Raises:
---- `invalid` `no-peer`: this role has no other node.
---```lua
---if (peer.silence() or 0) > 2000 then emit("peer:mute") end
---```
---@return number? milliseconds since anything was heard of the other node
function peer.silence() end

---How far the clock of the run at the other node is ahead of this one's, and how sure that is: half
---the round trip. Both are nil as long as they are not known.
---
---In actions and undos. Since api 1.
---
---Raises:
---- `invalid` `no-peer`: this role has no other node.
---```lua
---local ahead, unsure = peer.clock_offset()
---if ahead then log.info("%.3f ms, give or take %.3f ms", ahead, unsure) end
---```
---@return number? milliseconds what `now` says there minus what it says here
---@return number? error the true offset is no further away than this
function peer.clock_offset() end
