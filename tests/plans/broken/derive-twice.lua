-- a state that is given twice
return derive "parent" {
  name = "derive-twice",
  role "node" {
    state "first" { within = "1s", next = "second" },
    state "first" { within = "2s", next = "second" } },
}
