-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "lost-handled", api = 1, summary = "Quits QEMU and waits for its end.",
  vars = { qmp = var.path { doc = "QMP socket." } },
  role "node" {
    state "quitting" { within = "10s",
      enter = function() qmp("quit") end,
      on { "qmp:lost", go = "done", run = function(_, event) log.info("gone: %s", event.data.what) end } },
  },
}
