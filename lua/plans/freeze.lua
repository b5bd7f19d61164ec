-- SPDX-License-Identifier: Apache-2.0
--- Stops a guest for a given time and wakes it again: for a consistent copy of what it writes to.
---
--- Whatever happens in between, the guest runs at the end: the undo is registered before the guest
--- is stopped, because a lost reply must not leave it standing.
return plan {
  name = "freeze", api = 1,
  summary = "Stop the guest, wait, and wake it again.",

  vars = {
    qmp      = var.path     { doc = "QMP socket of the VM." },
    pause    = var.duration { "1s", min = "1ms", max = "10min", doc = "How long it stands." },
    patience = var.duration { "5s", min = "100ms", doc = "How long QEMU may take for each step." },
  },

  role "node" {
    state "stopping" { within = var "patience",
      enter = function(m)
        if not qmp("query-status").running then
          error { kind = "refused", code = "not-running", what = "the guest does not run" }
        end
        m:undo("wake the guest", qmp.wake)
        qmp("stop")
        wait { "STOP" }
      end,
      next = "frozen" },

    state "frozen" { within = "11min",
      enter = function(m) sleep(m.pause) end,
      next = "waking" },

    state "waking" { within = var "patience",
      enter = function() qmp("cont") end,
      on { "RESUME", go = "done" } },
  },
}
