-- SPDX-License-Identifier: Apache-2.0
local watch = require "progress"

return plan {
  name = "progress-bursts", api = 1, summary = "Watches a copy that is sent in bursts.",
  vars = { qmp = var.path { doc = "QMP socket." } },
  role "node" {
    state "copying" { within = "1min",
      enter = function(m) watch.begin(m, { nearly = 16777216, dark = 25, dirty = 14700000 }) end,
      on { "timer:progress", run = watch.look },
      on { "progress:nearly", go = "abort" },
      on { "SHUTDOWN", go = "done" } },
  },
}
