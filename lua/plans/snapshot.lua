-- SPDX-License-Identifier: Apache-2.0
--- Writes RAM and device state of a guest to a file, from which QEMU can be started again with
--- -incoming "exec:cat FILE". The guest stands while the file is written, so that the file is one
--- instant and as small as can be, and runs again at the end, however that comes, if it ran before.
---
--- QEMU calls the writing completed when a shell has taken all of it; that the last of it found no
--- room on the disk, it does not hear. So the shell writes to FILE.part, and gives it its name when
--- it is whole: that is looked for at the end, when the guest runs again.
local guest = require "guest"
local retry = require "retry"
local watch = require "progress"

--- One word for the shell that QEMU's exec: needs, whatever is in it.
local function quoted(path) return "'" .. path:gsub("'", "'\\''") .. "'" end

local function shell_for(path)
  local file, part = quoted(path), quoted(path .. ".part")
  return "rm -f " .. file .. " && cat > " .. part .. " && mv " .. part .. " " .. file ..
    " || rm -f " .. part
end

--- QEMU tells of the end of the writing before it is through with it, and refuses `cont` so long.
local function wake()
  retry { times = 1000, first = 10, factor = 1, only = "refused", function() qmp("cont") end }
end

--- The shell may still be at work for a moment; QEMU answers nobody while it waits for its end.
local function find(m, file)
  m:undo("remove the node of the file", qmp.restore { node = "snapshot" })
  retry { times = 100, first = 50, factor = 1, only = "refused", function()
    qmp("blockdev-add", { driver = "file", ["node-name"] = "snapshot", filename = file,
      ["read-only"] = true })
  end }
  qmp("blockdev-del", { ["node-name"] = "snapshot" })
end

return plan {
  name = "snapshot", api = 1,
  summary = "Write a guest's RAM and device state to a file.",

  vars = {
    qmp       = var.path     { doc = "QMP socket of the VM." },
    file      = var.path     { doc = "Where the state goes; absolute, as QEMU sees the disk." },
    bandwidth = var.rate     { "10GB/s", min = "1MB/s", doc = "Ceiling for the writing." },
    patience  = var.duration { "1h", min = "1s", doc = "How long the writing may take." },
  },

  role "node" {
    state "stopping" { within = "10s", next = "writing",
      enter = function(m)
        m.note.ran = qmp("query-status").running
        m.note.before = { capabilities = guest.enable(m, "events"),
          parameters = guest.set(m, { ["max-bandwidth"] = m.bandwidth }) }
        if m.note.ran then
          m:undo("wake the guest", qmp.wake)
          qmp("stop")
        else
          m:undo("cancel the writing", watch.cancel)
        end
      end },

    state "writing" { within = var "patience",
      enter = function(m)
        qmp("migrate", { uri = "exec:" .. shell_for(m.file) }, { within = "5s" })
        watch.begin(m, { every = 250, stalled = 10000 })
      end,
      on { "timer:progress", run = watch.look },
      on { "MIGRATION", status = "completed", go = "waking" },
      on { "MIGRATION", status = "failed", go = "abort" },
      on { "progress:over", status = "completed", go = "waking" },
      on { "progress:over", go = "abort" },
      on { "progress:stalled", go = "abort" } },

    state "waking" { within = "10s", next = "looking",
      enter = function(m)
        timer.cancel("progress")
        if m.note.ran then
          wake()
          wait { "RESUME" }
        end
      end },

    state "looking" { within = "10s", next = "done",
      enter = function(m)
        find(m, m.file)
        qmp.restore(m.note.before)()
      end },
  },
}
