-- a derived plan is checked as a whole, and the place is that of the change
return derive "parent" {
  name = "derive-graph",
  role "node" {
    change "second" { on { "STOP", go = "done" } },
    change "third" { commits = true } },
}
