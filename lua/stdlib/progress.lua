-- SPDX-License-Identifier: Apache-2.0
--- Watches a copy of RAM while it runs, tells how far it is, and turns what it sees into events.
---
---     local watch = require "progress"
---     state "copy" { within = "1h",
---       enter = function(m)
---         qmp("migrate", { uri = m.uri })
---         watch.begin(m, { every = 250, nearly = m.divert_at, stalled = 10000 })
---       end,
---       on { "timer:progress", run = watch.look },
---       on { "progress:nearly", go = "divert" },
---       on { "progress:stalled", go = "abort" },
---       on { "progress:over", go = "abort" } }
---
--- `nearly`: bytes that are left when progress:nearly is emitted, once. With `dark`, in
--- milliseconds, what the guest dirties meanwhile must be sent in that time as well, or it is not
--- near; `dirty` is how many bytes a second it dirties, until QEMU has measured it. `stalled`:
--- milliseconds in which nothing was sent, after which progress:stalled is emitted, once.
--- `progress:over`, with QEMU's `status`, is the last: the copy is over, well or not. QEMU says so
--- by itself; who must not wait for ever when that is lost has a handler for both.
local units = require "units"
local watch = {}

--- The longest time between two looks, and the shortest: a look costs QEMU a millisecond.
local longest_ms, shortest_ms = 250, 2

--- QEMU sends in bursts: by its limiter's slices, and whenever there is room again in the socket.
--- What was sent in less time than this is no speed.
local speed_ms = 200

function watch.begin(m, how)
  m.note.progress = {
    every = how.every or longest_ms, nearly = how.nearly, dark = how.dark, dirty = how.dirty or 0,
    stalled = how.stalled, sent = 0, since = now(), pass = -1,
  }
  timer.after(how.every or longest_ms, "progress")
end

local function words_for(ram)
  local words = string.format("%s of %s copied, %s left",
    units.share(ram.total - ram.remaining, ram.total), units.size(ram.total),
    units.size(ram.remaining))
  if (ram.mbps or 0) > 0 then words = words .. ", " .. units.rate(ram.mbps * 1e6 / 8) end
  return words
end

--- What is known of the copy by now: bytes a millisecond, and since when this pass runs.
local function measure(seen, ram)
  local sent, instant = ram.transferred or 0, now()
  local pass = ram["dirty-sync-count"] or 0
  if pass ~= seen.pass then seen.pass, seen.pass_began = pass, instant end
  if sent > seen.sent then seen.sent, seen.since = sent, instant end
  local mark = seen.mark
  if mark and sent > mark.sent and instant - mark.at >= speed_ms then
    seen.speed = (sent - mark.sent) / (instant - mark.at)
    mark = nil
  end
  seen.mark, seen.looked = mark or { sent = sent, at = instant }, instant
  local pages = ram["dirty-pages-rate"] or 0
  if pages > 0 then seen.dirty = pages * (ram["page-size"] or 4096) end
end

--- Milliseconds that the guest would stand for what it dirties until this pass is over.
local function rest_of(seen, ram)
  local pass_ms = seen.looked - seen.pass_began + ram.remaining / seen.speed
  return seen.dirty / 1000 * pass_ms / seen.speed
end

local function is_near(seen, ram)
  if ram.remaining > seen.nearly then return false end
  if not seen.dark or seen.dirty == 0 then return true end
  return seen.speed ~= nil and rest_of(seen, ram) <= seen.dark
end

--- Twice before it is near at this speed; so often as not to miss it, and no oftener. What is left
--- and not near: behind the next pass, which may be short.
local function next_look(seen, ram)
  if not seen.nearly or not seen.speed then return seen.every end
  local ahead = ram.remaining > seen.nearly
  local left_ms = ahead and (ram.remaining - seen.nearly) / seen.speed / 2
    or ram.remaining / seen.speed
  return math.max(shortest_ms, math.min(seen.every, math.floor(left_ms)))
end

local over = { none = true, cancelled = true, failed = true, completed = true }

--- One look: asks QEMU, tells, emits.
function watch.look(m)
  local seen = m.note.progress
  local copy = qmp("query-migrate", nil, { within = "5s" })
  if over[copy.status] then
    emit("progress:over", { status = copy.status })
    return
  end
  local ram = copy.ram
  if not ram then
    timer.after(seen.every, "progress")
    return
  end
  progress(words_for(ram))
  measure(seen, ram)
  if seen.nearly and is_near(seen, ram) then
    seen.nearly = nil
    emit("progress:nearly", { remaining = ram.remaining })
  end
  if seen.stalled and now() - seen.since >= seen.stalled then
    seen.stalled = nil
    emit("progress:stalled", { remaining = ram.remaining })
  end
  timer.after(next_look(seen, ram), "progress")
end

--- Cancels the copy, if there is one, and comes back when QEMU has ended it. For an undo: it has no
--- deadline of its own.
function watch.cancel()
  qmp("migrate_cancel")
  while not over[qmp("query-migrate").status or "none"] do sleep(20) end
end

return watch
