-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "late-in-waiting", api = 1, summary = "Waits for what does not come.",
  vars = { qmp = var.path { doc = "QMP socket." } },
  role "node" {
    state "waiting" { within = "3s", on { "RESUME", go = "done" } },
  },
}
