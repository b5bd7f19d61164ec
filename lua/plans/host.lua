-- SPDX-License-Identifier: Apache-2.0
--- Looks whether this host is fit for migrations, and changes nothing. `katamaran doctor` without
--- a plan looks at this; a plan of the same name in /etc/katamaran/plans can add looks of a site.
local preflight = require "preflight"

return plan {
  name = "host", api = 1,
  summary = "Look whether this host is fit for migrations.",

  vars = { netns = var.path { optional = true, doc = "Network namespace of the guests." } },

  role "node" {
    looks = function(m) preflight.host(m) end,
    state "looked" { within = "1s", next = "done" },
  },
}
