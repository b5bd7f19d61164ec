-- defaults of a derived plan that its parent's relation forbids
return derive "shared-storage" {
  name = "relation-defaults", summary = "Is broken.",
  vars = { downtime = "10s" },
}
