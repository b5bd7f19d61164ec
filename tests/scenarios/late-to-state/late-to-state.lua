-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "late-to-state", api = 1, summary = "Goes on after a deadline.",
  vars = { qmp = var.path { doc = "QMP socket." },
           patience = var.duration { "2s", doc = "How long is waited." } },
  role "node" {
    state "asking" { within = var "patience", late = "waiting", next = "done",
      enter = function() qmp("query-block") end },
    state "waiting" { within = "1s", late = "giving-up", on { "RESUME", go = "done" } },
    state "giving-up" { within = "1s", next = "done", enter = function() log.warn("never mind") end },
  },
}
