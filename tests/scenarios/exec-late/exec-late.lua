-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "exec-late", api = 1, summary = "Runs programs.",
  role "node" {
    state "only" { within = "300ms", next = "done",
      enter = function(m)
        exec { "mirror", "disk0", undo = { "unmirror", "disk0" } }
      end },
  },
}
