-- each key of the plan has a type
return plan {
  name = 5, api = "one", summary = { "text" }, vars = "none", relations = "none",
  role "node" { state "only" { within = "1s", next = "done" } },
}
