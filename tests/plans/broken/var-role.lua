-- a var of a role that is not there
return plan {
  name = "var-role", api = 1, summary = "Is broken.",
  vars = {
    a = var.ip { role = "nod", optional = true, doc = "d" },
  },
  role "node" {
    state "only" { within = "1s", next = "done" },
  },
}
