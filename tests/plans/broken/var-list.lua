-- a list that does not say of what
return plan {
  name = "var-list", api = 1, summary = "Is broken.",
  vars = {
    a = var.list { doc = "d" },
    b = var.list { of = "lists", doc = "d" },
    c = var.list { of = "list", doc = "d" },
    d = var.ip { of = "ip", optional = true, doc = "d" },
  },
  role "node" {
    state "only" { within = "1s", next = "done" },
  },
}
