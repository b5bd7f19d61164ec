-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "quit-gone", api = 1, summary = "Waits beside a QEMU that ends.",
  vars = { qmp = var.path { doc = "QMP socket." } },
  role "node" {
    state "waiting" { within = "1min",
      enter = function(m)
        m:undo("end the QEMU that waits", qmp.quit)
        qmp("query-status")
      end,
      on { "STOP", go = "done" } },
  },
}
