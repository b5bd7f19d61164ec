-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "shared-steps", api = 1, summary = "Stops the guest, waits for a word, hands it over.",
  vars = { qmp = var.path { doc = "QMP socket." } },
  role "node" {
    state "stopping" { within = "10s",
      enter = function(m)
        m:undo("wake the guest", function() qmp("cont") wait { "RESUME", "2s" } end)
        m:hold { what = "the lock", release = function() log.info("unlocked") end }
        qmp("stop")
      end,
      on { "STOP", go = "copying" } },
    state "copying" { within = "1min",
      on { "MIGRATION", status = "active", run = function() qmp("query-migrate") end },
      on { "MIGRATION", status = "completed", go = "handed-over" } },
    state "handed-over" { within = "10s", commits = true,
      enter = function() qmp("query-version") end,
      on { "SHUTDOWN", go = "done" } },
  },
}
