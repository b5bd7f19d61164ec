-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "wait-window", api = 1, summary = "Waits too late.",
  vars = { qmp = var.path { doc = "QMP socket." } },
  role "node" {
    state "first" { within = "10s",
      on { "RESUME", run = function() log.info("taken by the state") end },
      on { "STOP", go = "second" } },
    state "second" { within = "10s", next = "done",
      enter = function() wait { "RESUME", "100ms" } end },
  },
}
