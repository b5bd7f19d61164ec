-- SPDX-License-Identifier: Apache-2.0
--- A QEMU that waited for a guest in vain, and another one in its place.
---
--- When a copy is cancelled the QEMU at its other end exits. Where the var `start` names a program
--- that starts another one, on the same socket and with the same command line, that is done when
--- two things are known, in whatever order: that the source wants to begin again, and that the
--- former QEMU is gone. Without `start` such an end is trouble.
local anew = {}

local function start_if_known(m)
  if m.note.is_wanted and m.note.is_gone then emit("anew:start") end
end

--- The source wants to begin again. A QEMU that has not noticed is ended.
function anew.is_wanted(m)
  m.note.is_wanted = true
  if not m.note.is_gone then qmp.try("quit", {}, { within = "2s" }) end
  start_if_known(m)
end

--- The connection to QEMU has ended.
function anew.is_lost(m, event)
  if not m.start then
    error { kind = "lost", code = "connection-lost", what = event.data.what }
  end
  m.note.is_gone = true
  start_if_known(m)
end

--- Where the guest stays at the source, this QEMU waits for nothing, and must not be left behind.
function anew.must_end(m)
  return m:undo("end the QEMU that waits", qmp.quit)
end

--- QEMU says that the copy has failed.
function anew.has_failed(m)
  if not m.start then
    error { kind = "lost", code = "copy-failed", what = "the copy has failed, as QEMU says" }
  end
end

--- Starts the other one, and comes back when it can be spoken to.
function anew.start(m)
  m.note.is_wanted, m.note.is_gone = false, false
  exec { m.start, within = "30s" }
  qmp.reconnect()
end

return anew
