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
--- near; `dirty` is how many bytes a second it dirties, as measured for one second. Whatever is
--- left, it is near some 30 ms before QEMU could come to the end by itself; `limit`, which is what
--- max-bandwidth is, makes that surer. `stalled`: milliseconds in which nothing was sent, after
--- which progress:stalled is emitted, once.
--- `converge`: milliseconds behind the first pass after which, if it is not near by then,
--- progress:unconverged is emitted, once; its `words` are for people.
--- `progress:over`, with QEMU's `status`, is the last: the copy is over, well or not. QEMU says so
--- by itself; who must not wait for ever when that is lost has a handler for both.
local units = require "units"
local watch = {}

--- The longest time between two looks, and the shortest: a look costs QEMU a millisecond.
local longest_ms, shortest_ms = 250, 2

--- QEMU sends in bursts: by its limiter's slices, and whenever there is room again in the socket.
--- What was sent in less time than this is no speed.
local speed_ms = 200

--- What a plan has to do before QEMU stops the guest takes less, on a node that is not overloaded.
local head_start_ms = 30

--- An answer that was longer under way is of some time in between, and nobody knows of which.
local prompt_ms = 20

--- QEMU's limiter lets it send the share of so many milliseconds at once, and sleep.
local slice_ms = 100

function watch.begin(m, how)
  local every = how.every or longest_ms
  m.note.progress = {
    every = every, pause = how.nearly and shortest_ms or every, nearly = how.nearly,
    dark = how.dark, converge = how.converge, patient = how.converge, dirtied = how.dirty or 0,
    limit = how.limit, stalled = how.stalled,
    dirty = 0, sent = 0, since = now(), pass = -1, ran = now(),
  }
  timer.after(m.note.progress.pause, "progress")
end

--- The guest may stand for so long from now on, and it is waited once more for the end.
function watch.allow(m, dark)
  local seen = m.note.progress
  seen.dark, seen.converge, seen.passes_since = dark, seen.patient, now()
end

local function words_for(ram)
  local words = string.format("%s of %s copied, %s left",
    units.share(ram.total - ram.remaining, ram.total), units.size(ram.total),
    units.size(ram.remaining))
  if (ram.mbps or 0) > 0 then words = words .. ", " .. units.rate(ram.mbps * 1e6 / 8) end
  return words
end

--- What is known of the copy by now: bytes a millisecond, and since when this pass runs.
--- Of an answer that came late the speed is rather too low: to divert too late costs an attempt, to
--- divert too early packets.
local function measure(seen, ram, asked, throttle)
  local sent, instant = ram.transferred or 0, now()
  local since = instant - asked > prompt_ms and asked or instant
  local pass = ram["dirty-sync-count"] or 0
  if pass ~= seen.pass then
    if pass > 1 then seen.passes_since = seen.passes_since or instant end
    seen.pass, seen.pass_began, seen.pass_left = pass, instant, ram.remaining
  end
  if sent > seen.sent then seen.sent, seen.since = sent, instant end
  seen.mark, seen.looked = seen.mark or { sent = sent, at = since }, instant
  local passed, is_first = instant - seen.mark.at, not seen.is_measured
  if sent > seen.mark.sent and (passed >= speed_ms or is_first and passed > 0) then
    seen.speed = (sent - seen.mark.sent) / passed
    -- The first slice of the limiter goes out at once.
    if seen.limit then seen.speed = math.min(seen.speed, seen.limit / 1000) end
    if passed >= speed_ms then
      seen.is_measured, seen.mark = true, { sent = sent, at = since }
    end
  end
  -- QEMU counts a page once a pass, so that a long pass shows less than what a short one will.
  local measured = (ram["dirty-pages-rate"] or 0) * (ram["page-size"] or 4096)
  local slowed_down = 1 - (throttle or 0) / 100
  seen.dirty = math.max(measured, seen.dirtied * slowed_down)
end

--- Whether it goes round and round: each pass finds as much as the one before.
local function is_endless(seen)
  return seen.nearly and seen.converge and seen.passes_since and
    now() - seen.passes_since >= seen.converge
end

--- Milliseconds that the guest would stand for what it dirties until this pass is over.
local function rest_of(seen, ram)
  local pass_ms = seen.looked - seen.pass_began + ram.remaining / seen.speed
  local bytes = seen.dirty / 1000 * pass_ms
  return math.min(bytes, seen.pass_left) / seen.speed
end

--- Milliseconds until QEMU may be at the end by itself, without us: what is left, and the passes
--- behind it, each as much shorter than the one before as the guest is slower than the copy. What
--- the limiter holds back may then be sent at once.
local function ends_in(seen, ram)
  local share = seen.dirty / 1000 / seen.speed
  if share >= 1 then return math.huge end
  local is_limited = seen.limit and seen.speed * 1000 > seen.limit * 0.8
  return ram.remaining / seen.speed + rest_of(seen, ram) / (1 - share) -
    (is_limited and slice_ms or 0)
end

local function is_near(seen, ram)
  if seen.speed and ends_in(seen, ram) <= head_start_ms then return true end
  if ram.remaining > seen.nearly then return false end
  if not seen.dark or seen.dirty == 0 then return true end
  return seen.speed ~= nil and rest_of(seen, ram) <= seen.dark
end

--- Ever more seldom, as long as nothing is known.
local function longer_pause(seen)
  seen.pause = math.min(seen.every, seen.pause * 2)
  return seen.pause
end

--- Twice before it is near at this speed; so often as not to miss it, and no oftener. What is left
--- and not near: behind the next pass, which may be short.
local function next_look(seen, ram)
  if not seen.nearly then return seen.every end
  if not seen.speed then return longer_pause(seen) end
  local ahead = ram.remaining > seen.nearly
  local left_ms = ahead and (ram.remaining - seen.nearly) / seen.speed / 2
    or ram.remaining / seen.speed
  left_ms = math.min(left_ms, (ends_in(seen, ram) - head_start_ms) / 2)
  return math.max(shortest_ms, math.floor(math.min(seen.every, left_ms)))
end

local over = { none = true, cancelled = true, failed = true, completed = true }

--- One look: asks QEMU, tells, emits.
function watch.look(m)
  local seen = m.note.progress
  local asked = now()
  local copy = qmp("query-migrate", nil, { within = "5s" })
  if over[copy.status] then
    emit("progress:over", { status = copy.status })
    return
  end
  if copy.status == "active" then seen.ran = asked end
  local ram = copy.ram
  if not ram then
    timer.after(longer_pause(seen), "progress")
    return
  end
  progress(words_for(ram))
  measure(seen, ram, asked, copy["cpu-throttle-percentage"])
  if seen.nearly and is_near(seen, ram) then
    seen.nearly = nil
    emit("progress:nearly", { remaining = ram.remaining })
  end
  if is_endless(seen) then
    seen.converge = nil
    emit("progress:unconverged", { words = string.format(
      "the guest dirties %s, the link carries %s", units.rate(seen.dirty),
      units.rate((seen.speed or 0) * 1000)) })
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
