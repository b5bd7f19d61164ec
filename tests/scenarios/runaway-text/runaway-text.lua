-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "runaway-text", api = 1, summary = "Wants too much.",
  role "node" {
    state "only" { within = "1s", next = "done",
      enter = function(m)
        m:undo("say so", function() log.info("undone") end)
        local ok, problem = pcall(string.rep, "x", 1e9)
        log.info("%s: %s", ok, problem)
        local text = "x"
        while true do text = text .. text end
      end },
  },
}
