-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "runaway-pattern", api = 1, summary = "Wants too much.",
  role "node" {
    state "only" { within = "1s", next = "done",
      enter = function(m)
        m:undo("say so", function() log.info("undone") end)
        local ok, problem = pcall(string.find, string.rep("a", 30), string.rep("a?", 30) .. string.rep("a", 30))
        log.info("thirty: %s, %s", ok, problem)
        local text = string.rep("a", 50000)
        ok, problem = pcall(string.match, text, ".-.-.-b")
        log.info("%s: %s", ok, problem)
        for _ = 1, 1000 do
          pcall(string.match, text, ".-.-.-b")
        end
      end },
  },
}
