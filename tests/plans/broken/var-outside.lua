-- defaults outside of their own bounds
return plan {
  name = "var-outside", api = 1, summary = "Is broken.",
  vars = {
    a = var.duration { "1h", min = "1ms", max = "1min", doc = "d" },
    b = var.int { 5, min = 6, doc = "d" },
    c = var.string { "abc", max = 2, doc = "d" },
    d = var.list { { "a", "b" }, of = "string", min = 3, doc = "d" },
  },
  role "node" {
    state "only" { within = "1s", next = "done" },
  },
}
