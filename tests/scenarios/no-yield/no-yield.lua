-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "no-yield", api = 1, summary = "Waits at odd places.",
  role "node" {
    state "only" { within = "1s", next = "done",
      enter = function()
        local ok, problem = pcall(table.sort, { 2, 1 }, function() sleep("1s") end)
        log.info("%s: %s", ok, problem)
        ok, problem = pcall(string.gsub, "a", "a", function() wait { "STOP" } end)
        log.info("%s: %s", ok, problem)
        local inner = { pcall(pcall, function() sleep("1ms") return "inside of two pcalls" end) }
        log.info("%s", inner[3])
      end },
  },
}
