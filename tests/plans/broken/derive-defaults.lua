-- new defaults that the parent's vars do not allow
return derive "parent" {
  name = "derive-defaults",
  vars = { patience = "1h", to = "nowhere" },
}
