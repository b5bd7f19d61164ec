-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "signal-as-event", api = 1, summary = "Is told by signals when to go on.",
  vars = { qmp = var.path { doc = "QMP socket." } },
  role "node" {
    state "waiting" { within = "10s",
      on { "signal:USR1", run = function(m) m.note.count = (m.note.count or 0) + 1 end },
      on { "signal:USR2", go = "done", run = function(m) log.info("USR1 came %d times", m.note.count) end } },
  },
}
