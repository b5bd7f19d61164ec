-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "wait", api = 1, summary = "Waits in all ways.",
  vars = { qmp = var.path { doc = "QMP socket." } },
  role "node" {
    state "waiting" { within = "10s",
      enter = function()
        qmp("stop")
        local event = wait { "STOP" }
        log.info("came before: %s", event.name)
        event = wait { "BLOCK_JOB_READY", "2s", device = "drive1" }
        log.info("came after: %s of %s", event.name, event.data.device)
        local ok, problem = pcall(wait, { "RESUME", "500ms" })
        log.info("%s, %s %s: %s", ok, problem.kind, problem.code, problem)
        ok, problem = pcall(wait, { "JOB_STATUS_CHANGE", "1ms", id = "other" })
        log.info("%s: %s", ok, problem)
      end,
      on { "BLOCK_JOB_READY", run = function(_, event) log.info("left over: %s", event.data.device) end },
      on { "JOB_STATUS_CHANGE", run = function(_, event) log.info("left over: %s", event.data.status) end },
      on { "SHUTDOWN", go = "done" } },
  },
}
