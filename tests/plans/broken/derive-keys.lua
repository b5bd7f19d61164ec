-- keys that a derived plan does not have
return derive "parent" {
  name = "derive-keys", api = 1, file = "x",
  role "node" { change "first" { witin = "2s" }, start = "second" },
  state "first" {},
}
