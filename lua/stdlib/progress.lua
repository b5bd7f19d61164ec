-- SPDX-License-Identifier: Apache-2.0
--- Watches a copy of RAM while it runs, tells how far it is, and turns what it sees into events.
---
---     local watch = require "progress"
---     state "copy" { within = "1h",
---       enter = function(m)
---         qmp("migrate", { uri = m.uri })
---         watch.begin(m, { every = "250ms", nearly = m.divert_at, stalled = 10000 })
---       end,
---       on { "timer:progress", run = watch.look },
---       on { "progress:nearly", go = "divert" },
---       on { "progress:stalled", go = "abort" } }
---
--- `nearly`: bytes that are left when progress:nearly is emitted, once. `stalled`: milliseconds
--- without a new low of what is left, after which progress:stalled is emitted, once.
local units = require "units"
local watch = {}

function watch.begin(m, how)
  m.note.progress = { nearly = how.nearly, stalled = how.stalled, low = math.huge, since = now() }
  timer.every(how.every or "250ms", "progress")
end

local function words_for(ram)
  local words = string.format("%s of %s copied, %s left",
    units.share(ram.total - ram.remaining, ram.total), units.size(ram.total),
    units.size(ram.remaining))
  if (ram.mbps or 0) > 0 then words = words .. ", " .. units.rate(ram.mbps * 1e6 / 8) end
  return words
end

--- One look: asks QEMU, tells, emits. Whether the copy has failed is not its affair: QEMU's own
--- MIGRATION events say that.
function watch.look(m)
  local seen = m.note.progress
  local ram = qmp("query-migrate").ram
  if not ram then return end
  progress(words_for(ram))
  if ram.remaining < seen.low then seen.low, seen.since = ram.remaining, now() end
  if seen.nearly and ram.remaining <= seen.nearly then
    seen.nearly = nil
    emit("progress:nearly", { remaining = ram.remaining })
  end
  if seen.stalled and now() - seen.since >= seen.stalled then
    seen.stalled = nil
    emit("progress:stalled", { remaining = ram.remaining })
  end
end

local over = { none = true, cancelled = true, failed = true, completed = true }

--- Cancels the copy, if there is one, and comes back when QEMU has ended it. For an undo: it has no
--- deadline of its own.
function watch.cancel()
  qmp("migrate_cancel")
  while not over[qmp("query-migrate").status or "none"] do sleep(20) end
end

return watch
