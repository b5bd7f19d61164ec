-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "event-queue", api = 1, summary = "Is asleep while the guest is busy.",
  vars = { qmp = var.path { doc = "QMP socket." } },
  role "node" {
    state "sleeping" { within = "1min",
      enter = function(m)
        m:undo("say so", function() log.info("undone") end)
        sleep("10s")
      end,
      on { "BALLOON_CHANGE", run = function(m, event) m.note.last = event.data.actual end },
      on { "STOP", go = "done", run = function(m) log.info("the last was %d", m.note.last) end } },
  },
}
