-- SPDX-License-Identifier: Apache-2.0
local steps = require "steps"
local retry = require "retry"
local wait_all = require "wait_all"
local units = require "units"

return plan {
  name = "modules", api = 1, summary = "Uses modules.",
  vars = { qmp = var.path { doc = "QMP socket." } },
  role "node" {
    state "mirroring" { within = steps.patience, next = "trying",
      enter = function()
        qmp("blockdev-mirror", { device = "drive0" })
        qmp("blockdev-mirror", { device = "drive1" })
        local events = wait_all { within = 5000,
          { "BLOCK_JOB_READY", device = "drive0" },
          { "BLOCK_JOB_READY", device = "drive1" } }
        log.info("%s then %s, %s", events[1].data.device, events[2].data.device, units.size(events[2].data.len))
      end },
    state "trying" { within = "10s", next = "done", enter = steps.try(retry) },
  },
}
