-- defaults that are none
return plan {
  name = "var-defaults", api = 1, summary = "Is broken.",
  vars = {
    a = var.duration { "5", doc = "d" },
    b = var.duration { 5, doc = "d" },
    c = var.ip { "300.1.1.1", doc = "d" },
    d = var.int { "five", doc = "d" },
    e = var.bool { "perhaps", doc = "d" },
    f = var.list { { "192.0.2.1", "192.0.2" }, of = "ip", doc = "d" },
    g = var.ifname { "a name with spaces", doc = "d" },
    h = var.path { "", doc = "d" },
    i = var.size { function() end, doc = "d" },
    j = var.ip { "192.0.2.1", "192.0.2.2", doc = "d" },
    k = var.secret { "hunter2", doc = "d" },
  },
  role "node" {
    state "only" { within = "1s", next = "done" },
  },
}
