-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "exec-killed", api = 1, summary = "Runs programs.",
  role "node" {
    state "only" { within = "1min", next = "done",
      enter = function(m)
        exec { "mirror", "disk0", within = "200ms", undo = { "unmirror", "disk0" } }
      end },
  },
}
