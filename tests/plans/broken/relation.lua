-- relations of what cannot be related
return plan {
  name = "relation", api = 1, summary = "Is broken.",
  vars = {
    a = var.ip { optional = true, doc = "d" },
    b = var.duration { "1s", doc = "d" },
    c = var.size { "1MiB", doc = "d" },
    d = var.ip { doc = "d" },
  },
  relations = {
    together { "a", "elephant" },
    same_family { "a", "b" },
    ascending { "b", "c" },
    ascending { "a", "d" },
    one_of { "a" },
    one_of { "a", "d" },
    different { "a", "a" },
    same_family { "a", 5 },
    together "a",
  },
  role "node" {
    state "only" { within = "1s", next = "done" },
  },
}
