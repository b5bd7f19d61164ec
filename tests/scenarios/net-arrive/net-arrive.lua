-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "net-arrive", api = 1, summary = "Leads a guest's packets to its tap.",
  vars = { fail = var.bool { false, doc = "Whether it goes wrong before the commit." } },
  role "dest" {
    state "arrive" { within = "5s", next = "moved",
      enter = function(m)
        net.arrive { { "10.1.2.3", "2001:db8:1::3" }, tap = "tap0", mac = "02:aa:00:00:00:01" }
        if m.fail then error("no", 0) end
      end },
    state "moved" { within = "5s", commits = true, next = "done",
      enter = function()
        net.announce { "10.1.2.3", "2001:db8:1::3", mac = "02:aa:00:00:00:01", on = "eth1" }
      end },
  },
}
