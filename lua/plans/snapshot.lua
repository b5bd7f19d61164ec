-- SPDX-License-Identifier: Apache-2.0
--- Writes RAM and device state of a guest to a file, from which QEMU can be started again with
--- -incoming "exec:cat FILE". The guest stands while the file is written, so that the file is one
--- instant and as small as can be, and runs again at the end, however that comes, if it ran before.
local retry = require "retry"
local watch = require "progress"

--- One word for the shell that QEMU's exec: needs, whatever is in it.
local function quoted(path) return "'" .. path:gsub("'", "'\\''") .. "'" end

--- QEMU tells of the end of the writing before it is through with it, and refuses `cont` so long.
local function wake()
  retry { times = 1000, first = 10, factor = 1, only = "refused", function() qmp("cont") end }
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
        m.note.old = qmp("query-migrate-parameters")
        m.note.ran = qmp("query-status").running
        if not m.note.ran then return end
        m:undo("wake the guest", qmp.wake)
        qmp("stop")
      end },

    state "writing" { within = var "patience",
      enter = function(m)
        qmp.enable("events")
        m:undo("restore the bandwidth", function()
          qmp("migrate-set-parameters", { ["max-bandwidth"] = m.note.old["max-bandwidth"] })
        end)
        qmp("migrate-set-parameters", { ["max-bandwidth"] = m.bandwidth })
        m:undo("cancel the writing", watch.cancel)
        qmp("migrate", { uri = "exec:cat > " .. quoted(m.file) })
        watch.begin(m, { every = 250 })
      end,
      on { "timer:progress", run = watch.look },
      on { "MIGRATION", status = "completed", go = "waking" },
      on { "MIGRATION", status = "failed", go = "abort" } },

    state "waking" { within = "10s",
      enter = function(m)
        timer.cancel("progress")
        qmp("migrate-set-parameters", { ["max-bandwidth"] = m.note.old["max-bandwidth"] })
        if m.note.ran then
          wake()
          wait { "RESUME" }
        end
      end,
      next = "done" },
  },
}
