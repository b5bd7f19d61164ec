-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "undo-hangs", api = 1, summary = "Its undo never ends.",
  vars = { qmp = var.path { doc = "QMP socket." } },
  role "node" {
    state "first" { within = "1s", next = "done",
      enter = function(m)
        m:undo("wake the guest", function() qmp("cont") end)
        m:undo("wait for ever", function() wait { "NEVER" } end, { within = "500ms" })
        m:hold({ what = "the door", release = function() sleep("1h") end }, { within = 250 })
        m:undo("wait as long as may be", function() sleep("1h") end)
        error("no way on", 0)
      end },
  },
}
