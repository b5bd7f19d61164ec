-- families that are none, and where no address is
return plan {
  name = "var-family", api = 1, summary = "Is broken.",
  vars = {
    a = var.ip { family = "ipv6", optional = true, doc = "d" },
    b = var.ip { "192.0.2.1", family = "v6", doc = "d" },
    c = var.ips { { "2001:db8::1", "192.0.2.1" }, family = "v6", doc = "d" },
    d = var.ifname { family = "v6", optional = true, doc = "d" },
    e = var.list { of = "string", family = "v4", optional = true, doc = "d" },
  },
  role "node" {
    state "only" { within = "1s", next = "done" },
  },
}
