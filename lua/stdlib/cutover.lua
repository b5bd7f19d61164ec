-- SPDX-License-Identifier: Apache-2.0
--- The instant in which a guest's packets are diverted: before QEMU stops it, or not at all.
---
--- QEMU may come to its end before the network is ready. What comes for the guest from then on
--- waits in its tap, and is there when it goes on here; when it goes on elsewhere, that is lost. So
--- as long as nothing is diverted, the copy is cancelled and begun anew: `m.cutover` is "strict".
--- With "fast" it goes on, and says how much of the time is not covered. Whether it can begin anew
--- is what the destination says of itself, in `m.note.again`; how often it may is `m.attempts`.
---
--- It tells what follows by the event `cutover:late`, whose `how` is "again" or "on", and by
--- `cutover:diverted` where QEMU's own word that it waits was taken before.
local cutover = {}

--- What QEMU said of itself so long ago still holds, as far as anybody can act upon it.
local fresh_ms = 20

--- What came before the diversion is taken by the guest meanwhile, and seen to be: the ledger needs
--- a look that finds nothing new, so long before STOP that this was not under way.
local taken_ms = 30

local too_late = "the guest stopped before its packets were diverted"

local function refuse(how)
  error { kind = "refused", code = "too-late", what = too_late .. how }
end

--- It stands, its packets come here, and QEMU waits for a word.
local function decide(m)
  m.note.stands = true
  if m.cutover == "fast" then return "on" end
  if not m.note.again then
    refuse("; a larger divert_at helps, and with `start` at the destination it is tried again")
  end
  if m.note.attempts >= m.attempts then
    refuse(string.format(", in each of %d attempts; a larger divert_at helps", m.attempts))
  end
  log.warn("%s: attempt %d of %d is cancelled; what its tap has no room for meanwhile is lost",
    too_late, m.note.attempts, m.attempts)
  return "again"
end

--- An attempt begins.
function cutover.begin(m)
  m.note.attempts, m.note.stands, m.note.rest = (m.note.attempts or 0) + 1, false, false
end

--- QEMU has come to its end before anybody wanted to divert.
function cutover.early(m)
  emit("cutover:late", { how = decide(m) })
end

--- Whether it runs, and since when at least: an answer that was long under way says nothing.
local function looked()
  local asked, runs
  repeat
    asked = now()
    runs = qmp("query-status").running
  until not runs or now() - asked <= fresh_ms
  return runs, asked
end

--- Diverts, if the guest runs or it is to be so anyway; gives back whether. The look is the last
--- thing before: what comes in between is a matter of a message to the kernel, and to go back from
--- there would lose what is at the destination by then.
function cutover.divert(m)
  local ran = m.note.progress.ran
  if not m.note.stands then
    local runs, asked = looked()
    if runs then
      ran = asked
    else
      wait { "MIGRATION", "2s", status = "pre-switchover" }
      if decide(m) == "again" then emit("cutover:late", { how = "again" }) end
    end
  end
  if m.note.stands and m.cutover == "strict" then return false end
  m.note.path.turn()
  if not qmp("query-status").running then
    log.warn("%s: what came for it in %.0f ms at most may be lost", too_late, now() - ran)
  end
  if m.note.stands then emit("cutover:diverted") else sleep(taken_ms) end
  return true
end

return cutover
