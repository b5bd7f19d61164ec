-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "two-vms-lost", api = 1, summary = "Loses both of its helpers.",
  vars = { qmp = var.path { doc = "QMP socket." }, others = var.list { of = "path", doc = "The helpers'." } },
  role "node" {
    state "both" { within = "10s",
      enter = function(m)
        qmp.connect(m.others[1], "first")
        local second = qmp.connect(m.others[2], "second")
        m:undo("stop the second", function() second("quit") end)
        local ok, problem = pcall(qmp.connect, "/run/nobody.qmp", "third")
        log.info("%s: %s", ok, problem)
      end,
      on { "qmp:lost", vm = "first", run = function(_, event) log.info("%s is gone: %s", event.vm, event.data.what) end },
      on { "SHUTDOWN", go = "done" } },
  },
}
