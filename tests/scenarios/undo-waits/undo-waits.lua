-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "undo-waits", api = 1, summary = "Its undo waits for the guest.",
  vars = { qmp = var.path { doc = "QMP socket." } },
  role "node" {
    state "first" { within = "1s",
      enter = function(m)
        m:undo("wake the guest", function() qmp("cont") wait { "RESUME", "2s" } end)
        qmp("stop")
      end,
      on { "SHUTDOWN", go = "done" } },
  },
}
