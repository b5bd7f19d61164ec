-- required, optional and a default contradict each other
return plan {
  name = "var-required", api = 1, summary = "Is broken.",
  vars = {
    a = var.ip { "::", required = true, doc = "d" },
    b = var.ip { required = false, doc = "d" },
    c = var.ip { "::", optional = true, doc = "d" },
    d = var.ip { required = true, optional = true, doc = "d" },
  },
  role "node" {
    state "only" { within = "1s", next = "done" },
  },
}
