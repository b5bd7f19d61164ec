-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "late-in-run", api = 1, summary = "Takes too long over an event.",
  vars = { qmp = var.path { doc = "QMP socket." } },
  role "node" {
    state "listening" { within = "2s", late = "resting",
      on { "STOP", run = function() sleep("1h") end, go = "done" } },
    state "resting" { within = "1s", on { "RESUME", go = "done" } },
  },
}
