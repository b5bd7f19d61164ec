-- bounds that are none
return plan {
  name = "var-bounds", api = 1, summary = "Is broken.",
  vars = {
    a = var.duration { "5s", min = "10s", max = "1s", doc = "d" },
    b = var.size { "1MiB", min = "1ms", doc = "d" },
    c = var.bool { true, min = 1, doc = "d" },
    d = var.int { 5, max = 1.5, doc = "d" },
    e = var.enum { "a", "b", max = 2, doc = "d" },
  },
  role "node" {
    state "only" { within = "1s", next = "done" },
  },
}
