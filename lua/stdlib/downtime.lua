-- SPDX-License-Identifier: Apache-2.0
--- How long a guest may stand: as its vars say, by the way to the other node, or longer than that
--- when its copy does not come to an end otherwise.
local units = require "units"
local watch = require "progress"
local downtime = {}

--- Notes what holds now: with `auto_downtime` words that go there and back twice come on top.
function downtime.choose(m)
  local way = m.auto_downtime and 2 * (peer.round_trip() or 0) or 0
  m.note.dark, m.note.dark_max = m.downtime + way, math.ceil(m.downtime_max + way)
  if m.auto_downtime then
    log.info("the guest may stand for %.1f ms: %.1f ms, and twice the way there and back",
      m.note.dark, m.downtime)
  end
end

--- For `progress:unconverged`: what becomes of it is the var `unconverged`.
function downtime.unconverged(m, event)
  local what = "the copy will not converge: " .. event.data.words
  if m.unconverged == "wait" then
    log.warn("%s; it goes on, for %s at most", what, units.duration(m.patience))
  elseif m.unconverged == "darker" and m.note.dark_max < m.darkest then
    log.warn("%s; the guest may stand for %s from now on", what, units.duration(m.darkest))
    m.note.dark, m.note.dark_max = m.darkest, m.darkest
    watch.allow(m, m.darkest)
  else
    error { kind = "refused", code = "unconverged", what = what }
  end
end

return downtime
