-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "net-late-answer", api = 1, summary = "Does not wait for its tunnel.",
  role "node" {
    state "only" { within = "1s", late = "abort", next = "done",
      enter = function() net.tunnel { mode = "gre", to = "192.0.2.7" } end },
  },
}
