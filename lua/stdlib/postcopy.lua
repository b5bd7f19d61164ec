-- SPDX-License-Identifier: Apache-2.0
--- Post-copy: a guest that runs at the destination while the rest of its RAM is still on the way.
---
--- QEMU sends the devices first, and then the RAM; what the guest touches before it is there, it
--- waits for. A destination that was started with -S waits for `cont` then as always. But a source
--- that has sent the devices does not get its guest back when the destination dies, so that the
--- plan commits before: whoever loses a node behind the devices loses the guest.
local guest = require "guest"
local units = require "units"
local postcopy = {}

local look_ms = 250
--- For how long nothing need be known of the rest of the RAM.
local silent_ms = 10000

--- QEMU 7.2 takes both, and says nothing.
function postcopy.looks(m)
  if m.unconverged == "postcopy" and m.channels > 1 then
    look.bad("RAM", "it cannot follow by " .. m.channels .. " connections", "--var channels=1")
  end
end

--- At the source, before anything is sent: that it may come to this.
function postcopy.allow(m)
  if m.unconverged ~= "postcopy" then return end
  guest.enable(m, "postcopy-ram")
  guest.set(m, { ["max-postcopy-bandwidth"] = m.bandwidth })
end

--- The same at the destination, whose QEMU looks at it again when the way has broken: no undo takes
--- it back, for that may run when the guest is here.
function postcopy.expect(m)
  if m.unconverged == "postcopy" then qmp.enable("postcopy-ram") end
end

--- And when all is there: the guest's next move may be one without it.
function postcopy.forget(m)
  if m.unconverged ~= "postcopy" then return end
  local off = { capabilities = { { capability = "postcopy-ram", state = false } } }
  local _, kept = qmp.try("migrate-set-capabilities", off, { within = "2s" })
  if kept then log.warn("the guest's QEMU keeps postcopy-ram, of its move: %s", kept) end
end

local known = { device = true, completed = true,
  ["postcopy-active"] = true, ["postcopy-recover"] = true }

--- What QEMU says of the copy, when that is on its way or at its end.
local function look_at_copy()
  local copy = qmp("query-migrate", nil, { within = "5s" })
  if copy.status == "postcopy-paused" then
    error { kind = "lost", code = "postcopy-paused", what = "the guest is at the destination, " ..
      "some of its RAM at the source, and the way between them has broken: end neither QEMU" }
  elseif not known[copy.status] then
    error { kind = "lost", code = "postcopy-ended", what = "the rest of the guest's RAM was to " ..
      "follow it, and QEMU says " .. tostring(copy.status) }
  end
  return copy
end

--- At the source: the guest is given away when QEMU itself says that it has let go of it.
function postcopy.give()
  while look_at_copy().status == "device" do sleep(2) end
  peer.send("yours")
end

--- At the destination: comes back when the devices are there, and the guest could run.
function postcopy.arrive()
  while qmp("query-status").status == "inmigrate" do sleep(2) end
end

--- From now on it is looked after until all is there.
function postcopy.watch(m)
  if m.note.rest then timer.every(look_ms, "postcopy") end
  postcopy.look(m)
end

--- Where the way is dead, neither QEMU tells. The source's knows how much is left; at the
--- destination it must do that the other run lives, which looks at that.
local function check_way(m, copy)
  local left = copy.ram and copy.ram.remaining
  local goes_on = left ~= m.note.left or not left and not m.note.alone
  if goes_on or not m.note.went_on then m.note.left, m.note.went_on = left, now() end
  if now() - m.note.went_on > silent_ms then
    error { kind = "lost", code = "postcopy-silent", what = (left and
      "nothing of the guest's RAM has left for the destination for 10 s" or
      "the other run is over, and not all of the guest's RAM is here") .. ": end neither QEMU" }
  end
end

--- One look: tells, and emits postcopy:whole at the end.
function postcopy.look(m)
  if not m.note.rest then return emit("postcopy:whole") end
  local copy = look_at_copy()
  if copy.status == "completed" then
    timer.cancel("postcopy")
    return emit("postcopy:whole")
  end
  check_way(m, copy)
  if copy.ram then
    progress("the guest runs at the destination; %s of its RAM is still here",
      units.size(copy.ram.remaining))
  end
end

return postcopy
