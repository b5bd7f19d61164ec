-- roles, states and vars that the parent does not have
return derive "parent" {
  name = "derive-names",
  vars = { patiance = "2s", from = var.ip { optional = true, doc = "Where from." } },
  role "nod" { state "first" { within = "1s", next = "done" } },
  role "node" {
    state "frist" { within = "1s", next = "done" },
    change "thrid" { within = "2s" },
    before "secnd" { state "new" { within = "1s", next = "second" } },
    change "done" { within = "2s" } },
}
