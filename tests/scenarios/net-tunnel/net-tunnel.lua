-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "net-tunnel", api = 1, summary = "Diverts a guest's packets for a while.",
  vars = {
    mode = var.enum { "ipip", "gre", "vxlan", doc = "What the network sees." },
    fail = var.bool { false, doc = "Whether it goes wrong behind the diversion." },
  },

  role "source" {
    state "prepare" { within = "10s", next = "divert",
      enter = function(m)
        m.note.tunnel = net.tunnel { mode = m.mode, to = "192.0.2.7" }
        m.note.path = net.divert { "10.1.2.3", into = m.note.tunnel }
        log.info("%s carries %d and %d", m.note.tunnel.name, m.note.tunnel.carries.v4,
          m.note.tunnel.carries.v6)
      end },
    state "divert" { within = "5s", next = "linger",
      enter = function(m)
        m.note.path.turn()
        if m.fail then error { kind = "refused", code = "no-luck", what = "it went wrong" } end
      end },
    state "linger" { within = "20s", late = "done" },
  },
}
