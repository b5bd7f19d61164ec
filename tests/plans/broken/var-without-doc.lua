-- a var without doc
return plan {
  name = "var-without-doc", api = 1, summary = "Is broken.",
  vars = {
    a = var.ip { optional = true },
  },
  role "node" {
    state "only" { within = "1s", next = "done" },
  },
}
