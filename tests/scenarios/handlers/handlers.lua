-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "handlers", api = 1, summary = "Has many ears.",
  vars = { qmp = var.path { doc = "QMP socket." } },
  role "node" {
    state "listening" { within = "1min",
      on { "MIGRATION", status = "active", run = function() log.info("active") end },
      on { "MIGRATION", status = "completed", go = "again" },
      on { "MIGRATION", run = function(_, event) log.info("something else: %s", event.data.status) end },
      on { "BLOCK_JOB_ERROR", operation = "read", run = function() log.info("a read") end },
      on { "VSERPORT_CHANGE", open = true, run = function() log.info("open") end },
      on { "BALLOON_CHANGE", actual = 1073741824, run = function() log.info("1 GiB") end },
      on { "SHUTDOWN", go = "done" } },
    state "again" { within = "1min", on { "RESUME", go = "listening" } },
  },
}
