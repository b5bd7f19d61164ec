-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "emit", api = 1, summary = "Talks to itself.",
  role "node" {
    state "first" { within = "1s",
      enter = function()
        emit("copy:nearly", { left = 1024, disks = { "a", "b" }, none = list {} })
        emit("copy:over")
        local ok, problem = pcall(emit, "STOP")
        log.info("%s: %s", ok, problem)
        ok, problem = pcall(emit, "copy:odd", { action = function() end })
        log.info("%s: %s", ok, problem)
      end,
      on { "copy:nearly", left = 512, go = "abort" },
      on { "copy:nearly", left = 1024, run = function(_, event)
        log.info("%d left, %s", event.data.left, table.concat(event.data.disks, " and "))
      end },
      on { "copy:over", go = "done" } },
  },
}
