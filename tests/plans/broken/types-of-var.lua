-- each key of a var has a type
return plan {
  name = "types-of-var", api = 1, summary = "Is broken.",
  vars = {
    a = var.duration { "1s", doc = 5, role = true, optional = "yes", min = {}, max = "far" },
    b = var.ip,
    c = "192.0.2.1",
    d = var.ip "192.0.2.1",
    [5] = var.ip { doc = "d" },
  },
  role "node" {
    state "only" { within = "1s", next = "done" },
  },
}
