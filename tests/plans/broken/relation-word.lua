-- a relation that is none
return plan {
  name = "relation-word", api = 1, summary = "Is broken.",
  vars = {
    a = var.ip { optional = true, doc = "d" },
    b = var.ip { optional = true, doc = "d" },
  },
  relations = { sorted { "a", "b" }, togeter { "a", "b" }, { "a", "b" } },
  role "node" {
    state "only" { within = "1s", next = "done" },
  },
}
