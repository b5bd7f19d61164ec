-- after a state that does not lead to the one behind it
return derive "parent" {
  name = "derive-after",
  role "node" {
    after "second" { state "new" { within = "1s", next = "third" } },
    after "fourth" { state "newer" { within = "1s", next = "done" } } },
}
