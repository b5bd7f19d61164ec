-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "body-error", api = 1, summary = "Fails by itself.",
  vars = { qmp = var.path { doc = "QMP socket." } },
  role "node" {
    state "only" { within = "1s", next = "done",
      enter = function(m)
        m:undo("say so", function() log.info("undone") end)
        local nothing
        return nothing.field
      end },
  },
}
