-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "connect-late", api = 1, summary = "Connects in vain.",
  vars = { qmp = var.path { doc = "QMP socket." }, other = var.path { doc = "The second one's." } },
  role "node" {
    state "connecting" { within = "1s", late = "again", next = "done",
      enter = function(m) qmp.connect(m.other, "helper") end },
    state "again" { within = "20s", next = "done",
      enter = function(m)
        local ok, problem = pcall(qmp.connect, m.other, "helper")
        log.info("%s: %s", ok, problem)
      end },
  },
}
