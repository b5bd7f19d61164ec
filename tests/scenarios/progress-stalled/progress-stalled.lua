-- SPDX-License-Identifier: Apache-2.0
local watch = require "progress"

return plan {
  name = "progress-stalled", api = 1, summary = "Watches a copy that stalls.",
  vars = { qmp = var.path { doc = "QMP socket." }, near = var.size { "16MiB", doc = "What is near." } },
  role "node" {
    state "copying" { within = "1min",
      enter = function(m) watch.begin(m, { every = 250, nearly = m.near, stalled = 600 }) end,
      on { "timer:progress", run = watch.look },
      on { "progress:nearly", run = function(_, event) log.info("near: %d", event.data.remaining) end },
      on { "progress:stalled", go = "abort" },
      on { "SHUTDOWN", go = "done" } },
  },
}
