-- SPDX-License-Identifier: Apache-2.0
--- How long a guest may stand: as its vars say, by the way to the other node, or longer than that
--- when its copy does not come to an end otherwise.
local units = require "units"
local watch = require "progress"
local downtime = {}

--- A diverted guest has so long to stop in any case; its packets are held for no longer than that
--- at most. And how often it is looked.
local least_ms, most_ms, look_ms = 1000, 4000, 100

--- Notes what holds now: with `auto_downtime` words that go there and back twice come on top.
function downtime.choose(m)
  local way = m.auto_downtime and 2 * (peer.round_trip() or 0) or 0
  m.note.dark, m.note.dark_max = m.downtime + way, math.ceil(m.downtime_max + way)
  if m.auto_downtime then
    log.info("the guest may stand for %.1f ms: %.1f ms, and twice the way there and back",
      m.note.dark, m.downtime)
  end
end

--- Lets a guest go that does not become small enough in time, as `unconverged` says; gives back
--- whether that says how.
local function let_go_otherwise(m, what)
  if m.unconverged == "darker" and m.note.dark_max < m.darkest then
    log.warn("%s; the guest may stand for %s from now on", what, units.duration(m.darkest))
    m.note.dark, m.note.dark_max = m.darkest, m.darkest
  elseif m.unconverged == "postcopy" then
    log.warn("%s; the guest goes first, and the rest of its RAM follows", what)
    m.note.rest = true
  else
    return false
  end
  return true
end

--- For `progress:unconverged`: what becomes of it is the var `unconverged`.
function downtime.unconverged(m, event)
  local what = "the copy will not converge: " .. event.data.words
  if m.unconverged == "wait" then
    log.warn("%s; it goes on, for %s at most", what, units.duration(m.patience))
  elseif not let_go_otherwise(m, what) then
    error { kind = "refused", code = "unconverged", what = what }
  elseif m.note.rest then
    emit("downtime:rest")
  else
    watch.allow(m, m.darkest)
  end
end

local function let_end(m)
  m.note.let_end, m.note.syncs = now(), nil
  if m.note.rest then return qmp("migrate-start-postcopy") end
  qmp("migrate-set-parameters", { ["downtime-limit"] = m.note.dark_max })
end

--- The guest's packets are diverted: QEMU may stop it; `timer:ends` looks.
function downtime.allow(m)
  m.note.rest = m.note.rest and not m.note.stands
  let_end(m)
  timer.every(look_ms, "ends")
end

--- A pass that was begun may come to its end; what the next one leaves is left by all that follow.
local function is_in_vain(m, copy)
  local since, syncs = now() - m.note.let_end, copy.ram and copy.ram["dirty-sync-count"] or 0
  m.note.syncs = m.note.syncs or syncs
  return since >= most_ms or since >= least_ms and syncs >= m.note.syncs + 2
end

--- What comes for the guest is held at the destination, and not for ever.
local function end_otherwise(m)
  local what = "the packets are diverted, and what is left of the copy does not become little " ..
    "enough for " .. units.duration(m.note.dark_max)
  if not let_go_otherwise(m, what) then
    error { kind = "refused", code = "in-vain", what = what .. (m.unconverged == "darker" and
      "; a larger darkest helps, and so does unconverged=postcopy" or
      "; a larger downtime_max helps, and so do unconverged=darker and unconverged=postcopy") }
  end
  let_end(m)
end

--- For `timer:ends`: whether QEMU has stopped the guest and its word was lost, or it never will.
function downtime.look(m)
  local copy = qmp("query-migrate")
  if copy.status == "pre-switchover" then
    emit("downtime:stands")
  elseif not m.note.rest and is_in_vain(m, copy) then
    end_otherwise(m)
  end
end

return downtime
