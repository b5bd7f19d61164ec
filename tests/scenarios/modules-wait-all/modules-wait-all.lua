-- SPDX-License-Identifier: Apache-2.0
local wait_all = require "wait_all"

return plan {
  name = "modules-wait-all", api = 1, summary = "Waits for too much.",
  vars = { qmp = var.path { doc = "QMP socket." } },
  role "node" {
    state "waiting" { within = "10s", next = "done",
      enter = function()
        wait_all { within = 1500, { "STOP" }, { "RESUME" }, { "SHUTDOWN" } }
      end },
  },
}
