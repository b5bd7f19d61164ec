-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "runaway-memory", api = 1, summary = "Wants too much.",
  role "node" {
    state "only" { within = "1s", next = "done",
      enter = function(m)
        m:undo("say so", function() log.info("undone") end)
        local texts = {}
        for number = 1, 1e6 do
          texts[number] = string.rep("x", 1000) .. number
        end
      end },
  },
}
