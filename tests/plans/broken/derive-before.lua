-- before with two states, with none, and with what is no state
return derive "parent" {
  name = "derive-before",
  role "node" {
    before "second" { state "one" { within = "1s", next = "second" }, state "two" { within = "1s", next = "second" } },
    after "first" {},
    before "third" { on { "STOP", go = "third" } },
    before "fourth",
    before "second" { state "first" { within = "1s", next = "second" } } },
}
