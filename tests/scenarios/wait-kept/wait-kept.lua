-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "wait-kept", api = 1, summary = "Moves while events come.",
  vars = { qmp = var.path { doc = "QMP socket." } },
  role "node" {
    state "first" { within = "10s", next = "second", enter = function() qmp("stop") end },
    state "second" { within = "10s", next = "third", enter = function() sleep("1ms") end },
    state "third" { within = "10s",
      on { "STOP", run = function() log.info("STOP, late but not lost") end },
      on { "RESUME", go = "done" } },
  },
}
